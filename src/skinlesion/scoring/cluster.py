"""Run pieces on the workers of a Dask cluster. Loaded where DASK_SCHEDULER_ADDRESS is set only.

Source:
    https://distributed.dask.org/en/stable/client.html
"""

import logging
import os
import pickle
import queue
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import distributed
from distributed.scheduler import KilledWorker

from skinlesion.errors import InputError
from skinlesion.scoring import executor, worker

__all__ = ["Cluster", "connected"]

N_PIECES = 4  # per worker, at least, of short work
N_AHEAD = 4  # pieces per worker that are sent and whose results are not yet used
PATIENCE_S = 300.0  # without any worker, before the run ends
LOOK_S = 10.0  # between looks for workers while no result comes
Piece = TypeVar("Piece")
Result = TypeVar("Result")


@contextmanager
def connected(plan: executor.Plan) -> Iterator[Callable[[Path], "Cluster"]]:
    """Connect to the cluster at DASK_SCHEDULER_ADDRESS.

    Args:
        plan: How a worker gets the models.

    Yields:
        A function that makes an executor of the path of a file or folder of tiles.

    Raises:
        InputError: There is no scheduler at the address, or it has no worker.
    """
    address = os.environ[executor.ADDRESS]
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # the errors here say it once
    try:
        client = distributed.Client(address, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{executor.ADDRESS} must be the address of a Dask scheduler that answers. "
            f"Got {address!r}: {error}"
        ) from None
    with client:
        job = _job(client, plan)
        yield lambda images: _checked(client, job, images)


class Cluster:
    """An executor whose pieces run on the workers of a cluster."""

    def __init__(self, client: distributed.Client, job: worker.Job, images: worker.Images) -> None:
        self._client, self._job, self._images = client, job, images
        self._n_workers = max(1, len(_hosts(client)))
        self.min_pieces = N_PIECES * self._n_workers

    def map(
        self,
        function: executor.Function[Piece, Result],
        pieces: Iterable[Piece],
        on_steps: Callable[[int], object],
    ) -> Iterator[Result]:
        """Yield the result of each piece, as `Executor.map` says.

        A piece whose worker is killed runs on another. Only N_AHEAD pieces per worker are held,
        so the memory of this process does not grow with their number.

        Raises:
            InputError: The scheduler or all workers are lost, a piece has killed several workers,
                or a worker is not as it must be.
        """
        begun = enumerate(self._begin(function, piece) for piece in pieces)
        finished: queue.Queue[int] = queue.Queue()
        futures: dict[int, Any] = {}
        results: dict[int, Result] = {}
        n_ahead, following = N_AHEAD * self._n_workers, 0
        while True:
            for i, future in islice(begun, n_ahead - len(futures) - len(results)):
                futures[i] = future
                future.add_done_callback(lambda _, i=i: finished.put(i))
            if following in results:
                yield results.pop(following)
                following += 1
                continue
            if not futures:
                return
            i = self._next(finished)
            results[i], n_steps = self._result(futures.pop(i))
            on_steps(n_steps)

    def _begin(self, function: executor.Function[Piece, Result], piece: Piece) -> Any:
        # Pickled here, so that a worker unpickles it only once it has taken its threads, and in
        # the thread that runs it.
        work = pickle.dumps((function, piece))
        try:
            return self._client.submit(worker.run, self._job, self._images, work, pure=False)
        except Exception as error:
            raise _lost(self._client, error) from None

    def _next(self, finished: "queue.Queue[int]") -> int:
        """Wait for a piece; give up where there is no worker for it any more."""
        waited = 0.0
        while waited < PATIENCE_S:
            try:
                return finished.get(timeout=LOOK_S)
            except queue.Empty:
                waited = 0.0 if _hosts(self._client) else waited + LOOK_S
        raise _no_worker(self._client)

    def _result(self, future: Any) -> Any:
        try:
            return future.result()
        except KilledWorker as error:
            raise InputError(
                f"every piece must fit into the memory of a worker. One has ended "
                f"{error.allowed_failures + 1} workers; their logs may say why."
            ) from None
        except distributed.CancelledError as error:
            raise _lost(self._client, error) from None


def _job(client: distributed.Client, plan: executor.Plan) -> worker.Job:
    try:
        client.wait_for_workers(1, timeout=PATIENCE_S)
    except TimeoutError:
        raise _no_worker(client) from None
    plan = replace(plan, models=plan.models.absolute())
    return worker.Job(
        token=secrets.token_hex(8),
        n_beside=Counter(_hosts(client)),
        plan=pickle.dumps(plan),
        needs=worker.needs(plan.folders, worker.modules()),
    )


def _checked(client: distributed.Client, job: worker.Job, path: Path) -> Cluster:
    """Make an executor, once all workers have shown that they are as they must be."""
    n_bytes = path.stat().st_size if path.is_file() else None
    images = worker.Images(path.absolute(), n_bytes)
    try:
        said = client.run(worker.check, job, images, on_error="return")
    except Exception as error:
        raise _lost(client, error) from None
    # A worker that was lost meanwhile, and any that comes later, is checked before its first piece.
    found = {address: of for address, of in said.items() if not isinstance(of, OSError)}
    wrong = [_sentence(address, of) for address, of in sorted(found.items())]
    if any(wrong):
        raise InputError("\n".join(filter(None, wrong)))
    kinds = Counter(kind for _, kind in found.values())
    if len(kinds) > 1:
        listed = "\n".join(f"  {n} of {kind}" for kind, n in kinds.most_common())
        print(
            f"warning: workers of {len(kinds)} kinds may round otherwise, so which worker scores "
            f"a lesion may decide the last bits of its score:\n{listed}",
            file=sys.stderr,
        )
    return Cluster(client, job, images)


def _sentence(address: str, found: tuple[str, str] | Exception) -> str:
    if not isinstance(found, Exception):
        return found[0]
    return f"worker {address}: it must have the code of this process. {found!r}"


def _hosts(client: distributed.Client) -> list[str]:
    """List the host of each worker."""
    try:
        workers = client.scheduler_info()["workers"]
    except Exception as error:
        raise _lost(client, error) from None
    return [of["host"] for of in workers.values()]


def _lost(client: distributed.Client, error: Exception) -> InputError:
    address = client.scheduler.address if client.scheduler else ""
    reason = getattr(error, "reason", None) or error or type(error).__name__
    return InputError(f"the Dask scheduler {address} must stay reachable. It was lost: {reason}")


def _no_worker(client: distributed.Client) -> InputError:
    return InputError(
        f"the Dask scheduler {client.scheduler.address} must have workers. It has had none for "
        f"{PATIENCE_S:.0f} s."
    )
