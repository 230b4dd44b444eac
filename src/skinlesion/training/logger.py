"""Log the values of each epoch with dvclive."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from dvclive import Live

__all__ = ["Log", "opened", "speaker"]

Log: TypeAlias = Callable[[int, dict[str, float]], None]  # called with the epoch and its values


@contextmanager
def opened(folder: Path, *, writes: bool = True) -> Iterator[Log]:
    """Open dvclive's log of a training.

    Args:
        folder: Where dvclive writes.
        writes: Whether this process does; of processes that train together, one.

    Yields:
        What `fit` calls after each epoch.
    """
    if not writes:
        yield lambda epoch, values: None
        return
    with Live(str(folder), dvcyaml=None, save_dvc_exp=False, report=None) as live:

        def log(epoch: int, values: dict[str, float]) -> None:
            live.step = epoch
            for name, value in values.items():
                live.log_metric(name, value)
            live.sync()

        yield log


def speaker(name: str, *, speaks: bool) -> Callable[[str], None]:
    """Return a function that prints a line and flushes it.

    Args:
        name: Of what the lines are about; they begin with it.
        speaks: Whether this process prints; of processes that train together, one.
    """

    def say(line: str) -> None:
        if speaks:
            print(f"{name}: {line}", flush=True)

    return say
