"""One thread that scores, and gathers the requests that wait into one call of the bundle."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd

from skinlesion.serving.lesions import Lesions

__all__ = ["Batch", "Bundle", "Scored", "Scorer"]

Reasons = list[list[dict[str, Any]]]


class Bundle(Protocol):
    """What is asked of a bundle; `skinlesion.bundle` has it."""

    @property
    def card(self) -> dict[str, Any]: ...  # noqa: D102
    @property
    def version(self) -> str: ...  # noqa: D102
    @property
    def checksum(self) -> str: ...  # noqa: D102
    @property
    def operating_points(self) -> list[dict[str, Any]]: ...  # noqa: D102
    @property
    def columns(self) -> list[dict[str, Any]]: ...  # noqa: D102

    def explained(
        self, table: pd.DataFrame, tiles: Mapping[str, bytes], *, n: int
    ) -> tuple[pd.DataFrame, Reasons]:
        """Score lesions, and explain the n most suspicious of each patient."""

    def occlusion(self, row: Mapping[Any, Any], tile: bytes) -> np.ndarray:
        """Measure where on a tile the networks look."""


@dataclass(frozen=True)
class Batch:
    """How much is done at once."""

    # Requests join until there are as many lesions. A request with more is scored as it is, for
    # the lesions of a patient are seen beside each other.
    n_lesions: int
    explained: int  # of each patient, the most suspicious


@dataclass(frozen=True)
class Scored:
    """What the bundle says of the lesions of a request, in their order."""

    scores: pd.DataFrame
    reasons: Reasons


@dataclass(frozen=True)
class _Job:
    """Lesions of a request until they are scored; or one lesion whose tile is to be occluded."""

    lesions: Lesions
    occlude: bool = False
    future: "Future[Any]" = field(default_factory=Future)


class Scorer:
    """Scores what is submitted, in the order of its arrival.

    While one batch is scored, others wait and become the next: under load most calls of the bundle
    have many lesions, and a lesion alone waits for nobody.

    Args:
        bundle: Called in one thread only.
        batch: Its size.
        on_batch: Called after each batch with its number of lesions and its seconds.
    """

    def __init__(
        self, bundle: Bundle, batch: Batch, on_batch: Callable[[int, float], None]
    ) -> None:
        self.bundle, self.batch, self.on_batch = bundle, batch, on_batch
        self._waiting: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="scorer", daemon=True)

    def start(self) -> None:
        """Begin to score."""
        self._thread.start()

    def stop(self) -> None:
        """Score what waits, then end."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join()

    @property
    def n_waiting(self) -> int:
        """Requests whose turn has not come."""
        return len(self._waiting)

    def score(self, lesions: Lesions) -> "Future[Scored]":
        """Score the lesions of a request.

        Args:
            lesions: Of one patient.

        Returns:
            What comes of it: the scores, or the error of the bundle. Cancelled before their turn,
            the lesions are not scored.
        """
        return self._submit(_Job(lesions))

    def occlusion(self, lesions: Lesions) -> "Future[np.ndarray]":
        """Measure where on a tile the network looks.

        Args:
            lesions: One, with its tile.
        """
        return self._submit(_Job(lesions, occlude=True))

    def _submit(self, job: _Job) -> "Future[Any]":
        with self._changed:
            self._waiting.append(job)
            self._changed.notify()
        return job.future

    def _run(self) -> None:
        while jobs := self._next():
            wanted = [job for job in jobs if job.future.set_running_or_notify_cancel()]
            if wanted:
                start = time.perf_counter()
                self._serve(wanted)
                n = sum(len(job.lesions.table) for job in wanted)
                self.on_batch(n, time.perf_counter() - start)

    def _next(self) -> list[_Job]:
        """Wait for a job, and take those behind it that may join; none once all is done."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopped)
            jobs = [self._waiting.popleft()] if self._waiting else []
            n = sum(len(job.lesions.table) for job in jobs)
            while jobs and self._joins(jobs[0], n):
                jobs.append(self._waiting.popleft())
                n += len(jobs[-1].lesions.table)
            return jobs

    def _joins(self, first: _Job, n: int) -> bool:
        if first.occlude or not self._waiting or self._waiting[0].occlude:
            return False
        return n + len(self._waiting[0].lesions.table) <= self.batch.n_lesions

    def _serve(self, jobs: Sequence[_Job]) -> None:
        try:
            for job, result in zip(jobs, self._results(jobs), strict=True):
                job.future.set_result(result)
        except Exception as error:  # of one request: the others must not pay for it
            if len(jobs) == 1:
                jobs[0].future.set_exception(error)
                return
            for job in jobs:
                self._serve([job])

    def _results(self, jobs: Sequence[_Job]) -> Sequence[Any]:
        first = jobs[0].lesions
        if jobs[0].occlude:
            [tile] = first.tiles.values()
            return [self.bundle.occlusion(first.table.iloc[0].to_dict(), tile)]
        together = _joined([job.lesions for job in jobs]) if len(jobs) > 1 else first
        scores, reasons = self._explained(together)
        results, start = [], 0
        for job in jobs:
            part = slice(start, start := start + len(job.lesions.table))
            own = scores.iloc[part], reasons[part]
            # A lesion whose tile cannot be read gets the median of the others: of its own patient.
            if len(jobs) > 1 and (own[0]["reason"] != "").any():
                own = self._explained(job.lesions)
            results.append(Scored(*own))
        return results

    def _explained(self, lesions: Lesions) -> tuple[pd.DataFrame, Reasons]:
        return self.bundle.explained(lesions.table, lesions.tiles, n=self.batch.explained)


def _joined(requests: Sequence[Lesions]) -> Lesions:
    """Put requests into one table, where each is a patient of its own.

    Its identifiers get a number before them: two requests may have the same.
    """
    tables = [
        request.table.assign(isic_id=f"{i}:" + request.table["isic_id"], patient_id=str(i))
        for i, request in enumerate(requests)
    ]
    tiles = {
        f"{i}:{isic_id}": tile
        for i, request in enumerate(requests)
        for isic_id, tile in request.tiles.items()
    }
    return Lesions(pd.concat(tables, ignore_index=True), tiles)
