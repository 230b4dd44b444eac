"""Processes that score a table together: each scores its pieces, one joins those of all."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from skinlesion.errors import InputError

__all__ = ["ALONE", "Crew", "of_environment"]

COUNT, ID = "KERAS_DISTRIBUTION_NUM_PROCESSES", "KERAS_DISTRIBUTION_PROCESS_ID"
MAX_PROCESSES = 10_000
PATIENCE_S = 900.0  # without a new piece, until a process counts as dead
POLL_S = 0.5


@dataclass(frozen=True)
class Crew:
    """This process, and where it finds what the others have scored.

    A piece is put into place whole. Pieces that are there already, of a process that was killed,
    are not scored again, so the folder is for one run of one commit on the same files.
    """

    folder: Path = Path()  # on a disk that all processes see; unused by one alone
    n_processes: int = 1
    process: int = 0  # from 0

    @property
    def joins(self) -> bool:
        """Whether this is the process that gets what all have scored."""
        return self.process == 0

    def together(
        self, name: str, pieces: Iterable[Callable[[], pd.DataFrame]]
    ) -> Iterator[pd.DataFrame]:
        """Score pieces of a table, every n-th in each of n processes.

        Args:
            name: Of the table.
            pieces: The same in every process; called to be scored.

        Yields:
            All pieces, scored, in their order, to the process that joins them; to the others
            nothing. A process alone gets each as soon as it is scored.

        Raises:
            InputError: For PATIENCE_S no other process has put a piece into place.
        """
        if self.n_processes == 1:
            yield from (piece() for piece in pieces)
            return
        n_pieces = 0
        for i, piece in enumerate(pieces):
            n_pieces += 1
            path = self._path(name, i)
            if i % self.n_processes == self.process and not path.exists():
                _write(piece(), path)
        if self.joins:
            yield from self._joined(name, n_pieces)

    def remove(self) -> None:
        """Remove the pieces once they are joined."""
        if self.n_processes > 1 and self.joins:
            for path in self.folder.glob("*"):
                path.unlink()
            self.folder.rmdir()

    def _joined(self, name: str, n_pieces: int) -> Iterator[pd.DataFrame]:
        deadline = time.monotonic() + PATIENCE_S
        for i in range(n_pieces):
            path = self._path(name, i)
            while not path.exists():
                if time.monotonic() > deadline:
                    raise InputError(
                        f"{path} must come from process {i % self.n_processes} of "
                        f"{self.n_processes}. None came for {PATIENCE_S:.0f} s. Start it, and this "
                        f"one, again: what is scored is kept."
                    )
                time.sleep(POLL_S)
                deadline = self._renewed(deadline)
            yield pd.read_parquet(path)

    def _renewed(self, deadline: float) -> float:
        """Count the patience from the newest piece, of any process."""
        ages = [time.time() - path.stat().st_mtime for path in self.folder.glob("*.parquet")]
        return max(deadline, time.monotonic() + PATIENCE_S - min(ages, default=PATIENCE_S))

    def _path(self, name: str, i: int) -> Path:
        return self.folder / f"{name.replace(' ', '-')}-{i:06d}.parquet"


ALONE = Crew()


def of_environment(folder: Callable[[], Path]) -> Crew:
    """Tell whether this process scores alone, or is one of several.

    They are named as those that train together: KERAS_DISTRIBUTION_NUM_PROCESSES of them, this
    one KERAS_DISTRIBUTION_PROCESS_ID, from 0. They need not be started at once.

    Args:
        folder: Where the pieces of this run go; called if there are several.

    Raises:
        InputError: One variable is missing, or no number in its range.
    """
    if not {COUNT, ID} & os.environ.keys():
        return ALONE
    n_processes = _number(COUNT, range(1, MAX_PROCESSES + 1))
    return Crew(folder(), n_processes, _number(ID, range(n_processes)))


def _number(name: str, within: range) -> int:
    value = os.environ.get(name, "")
    if not value.isdecimal() or int(value) not in within:
        expected = f"a whole number from {within[0]} to {within[-1]}"
        raise InputError(f"{name} must be {expected}. Got {value!r} instead.")
    return int(value)


def _write(piece: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    piece.to_parquet(part, index=False)
    part.replace(path)
