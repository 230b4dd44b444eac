"""Where the pieces of a long piece of work run: in this process, or on the workers of a cluster."""

import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from skinlesion.dataset import stores
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.network import backend, trained

__all__ = ["MAX_PIECE", "Executor", "Function", "Here", "Models", "Plan", "opened", "piece_size"]

ADDRESS = "DASK_SCHEDULER_ADDRESS"  # Dask's own variable
MAX_PIECE = 4096  # lesions of a piece, about: what is held of a table at a time

Models = Mapping[FoldSeed, Any]  # what `Plan.prepare` makes of them
Piece = TypeVar("Piece")
Result = TypeVar("Result")
# From the models, the tiles, a piece, and what is told how many steps were done, to a result.
Function = Callable[[Models, stores.Store, Piece, Callable[[int], object]], Result]


@dataclass(frozen=True)
class Plan:
    """How a process gets the models that it runs. A worker gets it, not the models."""

    models: Path
    networks: tuple[FoldSeed, ...]
    keras: backend.Params
    prepare: Callable[[Mapping[FoldSeed, trained.Trained]], Models]  # importable: it is pickled

    @property
    def folders(self) -> list[Path]:
        """List the folders of the models."""
        return [self.models / one.path for one in self.networks]

    def load(self) -> Models:
        """Start Keras and load the models.

        Raises:
            InputError: As for `backend.start`, `trained.load_folds` and `prepare`.
        """
        backend.start(self.keras)
        return self.prepare(trained.load_folds(self.models, expected=self.networks))


class Executor(Protocol):
    """Runs a function over pieces, with models and a file of tiles at hand."""

    min_pieces: int  # into which work should be cut, to keep all workers busy

    def map(
        self,
        function: Function[Piece, Result],
        pieces: Iterable[Piece],
        on_steps: Callable[[int], object],
    ) -> Iterator[Result]:
        """Yield the result of each piece, in the order of the pieces.

        Args:
            function: At the top of a module.
            pieces: Taken as they are needed, so there may be any number.
            on_steps: Called with the number of steps done since its last call, for a bar.
        """


class Here:
    """Runs one piece after the other in this process."""

    min_pieces = 1

    def __init__(self, models: Models, store: stores.Store) -> None:
        self._models, self._store = models, store

    def map(
        self,
        function: Function[Piece, Result],
        pieces: Iterable[Piece],
        on_steps: Callable[[int], object],
    ) -> Iterator[Result]:
        """Yield the result of each piece, as `Executor.map` says."""
        for piece in pieces:
            yield function(self._models, self._store, piece, on_steps)


def opened(
    plan: Plan, loaded: Mapping[FoldSeed, trained.Trained]
) -> AbstractContextManager[Callable[[Path], Executor]]:
    """Open an executor: a cluster where DASK_SCHEDULER_ADDRESS is set, else this process.

    Args:
        plan: How a worker gets the models.
        loaded: The same models, in this process; only here are they prepared.

    Returns:
        A context whose value makes an executor of the path of a file or folder of tiles.

    Raises:
        InputError: There is no cluster at the address, or a worker of it cannot do the work.
    """
    if not os.environ.get(ADDRESS):
        return _here(plan, loaded)
    # By name, so that nothing of Dask is loaded without need.
    cluster = importlib.import_module("skinlesion.scoring.cluster")
    connected: AbstractContextManager[Callable[[Path], Executor]] = cluster.connected(plan)
    return connected


def piece_size(n: int | None, batch_size: int, min_pieces: int) -> int:
    """Choose how much makes a piece.

    Whole batches, so that each batch holds the same lesions whatever the size of the pieces, and
    the bits do not depend on it.

    Args:
        n: Lesions, or other inputs of a network, in all; None where it is not known.
        batch_size: Of them.
        min_pieces: Of an executor.

    Returns:
        A multiple of the batch size, about MAX_PIECE at most.
    """
    most = max(1, MAX_PIECE // batch_size)
    wanted = most if n is None else -(-n // (batch_size * min_pieces))
    return max(1, min(most, wanted)) * batch_size


@contextmanager
def _here(
    plan: Plan, loaded: Mapping[FoldSeed, trained.Trained]
) -> Iterator[Callable[[Path], Executor]]:
    models = plan.prepare(loaded)
    yield lambda images: Here(models, stores.open_store(images))
