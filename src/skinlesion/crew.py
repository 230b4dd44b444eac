"""Processes that score a table together: each scores its pieces, one joins those of all."""

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from skinlesion import atomic, processes
from skinlesion.errors import InputError

__all__ = ["ALONE", "Crew", "of_environment"]

PATIENCE_S = 900.0  # without a new piece, until a process counts as dead
POLL_S = 0.5
N_NAMED = 5  # other folders, in an error


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
        """Remove the pieces once they are joined, and parts that killed processes left.

        A process that was started again may put a piece there meanwhile. It stays, and harms
        nobody.
        """
        if self.n_processes > 1 and self.joins:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _joined(self, name: str, n_pieces: int) -> Iterator[pd.DataFrame]:
        for i in range(n_pieces):
            path = self._path(name, i)
            self._await(path, i % self.n_processes)
            yield pd.read_parquet(path)

    def _await(self, path: Path, process: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not path.exists():
            if time.monotonic() > deadline:
                raise InputError(
                    f"{path} must come from process {process} of {self.n_processes}. None came "
                    f"for {PATIENCE_S:.0f} s. Start it, and this one, again: what is scored is "
                    f"kept. {self._elsewhere()}"
                )
            time.sleep(POLL_S)
            deadline = self._renewed(deadline)

    def _renewed(self, deadline: float) -> float:
        """Count the patience from the newest piece, of any process."""
        newest = _newest(self.folder)
        if newest is None:
            return deadline
        return max(deadline, time.monotonic() + PATIENCE_S - (time.time() - newest))

    def _elsewhere(self) -> str:
        """Say why a process that runs may owe its pieces for ever, and where they may be."""
        folders = [path for path in self.folder.parent.glob("*") if path != self.folder]
        dated = {path: _newest(path) for path in folders}
        filled = {path: newest for path, newest in dated.items() if newest is not None}
        latest = sorted(filled, key=filled.__getitem__, reverse=True)[:N_NAMED]
        listed = f"; the newest of others are in {', '.join(map(str, latest))}" if latest else ""
        return (
            "If it has ended well, it has other params, code, data or another kind of machine than "
            f"this one, and its pieces are in the folder that it named at its start{listed}."
        )

    def _path(self, name: str, i: int) -> Path:
        return self.folder / f"{name.replace(' ', '-')}-{i:06d}.parquet"


ALONE = Crew()


def of_environment(folder: Callable[[], Path]) -> Crew:
    """Tell whether this process scores alone, or is one of several, which then prints its folder.

    They are named as those that train together, by `processes.place`. They need not be started at
    once, nor find each other.

    Args:
        folder: Where the pieces of this run go, the same in all; called if there are several.

    Raises:
        InputError: The environment names processes in part, or falsely.
    """
    if not processes.named():
        return ALONE
    crew = Crew(folder(), *processes.place())
    if crew.n_processes > 1:
        where = f"process {crew.process} of {crew.n_processes}: pieces are in {crew.folder}"
        print(where, flush=True)  # at once, into a log too
    return crew


def _newest(folder: Path) -> float | None:
    """Tell when the newest of a folder's pieces was put there; None where there is none."""
    dates = map(_changed, folder.glob("*.parquet"))
    return max((date for date in dates if date is not None), default=None)


def _changed(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # it has just been removed
        return None


def _write(piece: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic.file(path) as file:
        piece.to_parquet(file, index=False)
