"""What the workers of a test's cluster run: each function has the form of `executor.Function`."""

import os
import signal
from pathlib import Path

from skinlesion.errors import InputError
from skinlesion.scoring import ensemble

SCHEDULER = "TEST_SCHEDULER_PID"  # a variable of the workers


def doubled(models, store, piece: int, on_steps) -> tuple[int, int]:
    """The piece twice, after the more work the smaller it is; and which process did it."""
    sum(range(100_000 * (10 - piece % 10)))
    on_steps(1)
    on_steps(2)
    return 2 * piece, os.getpid()


def refused(models, store, piece: int, on_steps) -> None:
    raise InputError(f"piece {piece} must be another.")


def score_or_die(models, store, piece: tuple[Path, ensemble.Piece], on_steps):
    """Kill the first worker that runs it, by SIGKILL; score on any other."""
    mark, scored = piece
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return ensemble.score(models, store, scored, on_steps)
    os.kill(os.getpid(), signal.SIGKILL)


def lose_scheduler(models, store, piece: object, on_steps) -> None:
    os.kill(int(os.environ[SCHEDULER]), signal.SIGKILL)
