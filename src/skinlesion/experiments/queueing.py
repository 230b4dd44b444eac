"""Queue the combinations of a grid that do not exist yet."""

import os
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import dvc.api
from dvc.repo import Repo
from dvc.utils.flatten import flatten

from skinlesion.errors import InputError
from skinlesion.experiments import names, repository

__all__ = ["Queued", "known", "queue"]


class Queued(NamedTuple):
    """What became of a grid."""

    new: list[str]  # names of the experiments that were queued
    n_existing: int  # that were done, queued or running before


def known(rev: str | None = None) -> list[str]:
    """List the dotted keys of all params.

    Args:
        rev: A commit; the files of the current folder where it is None.

    Raises:
        InputError: DVC cannot read them.
    """
    with repository.opened():
        return list(flatten(dvc.api.params_show("params.yaml", rev=rev)))


def queue(overrides: Sequence[str], *, prefix: str = "", only_missing: bool = False) -> Queued:
    """Queue each combination of a grid under the name that `names.named` gives it.

    Args:
        overrides: As for `names.named`.
        prefix: What each name begins with.
        only_missing: Whether to leave out combinations that are done, queued or running; if not,
            they are an error.

    Raises:
        InputError: The grid cannot be expanded, a combination exists, DVC takes an experiment
            for running whose process was killed, or DVC refuses.
    """
    named = names.named(overrides, known(), prefix=prefix)
    with repository.opened() as repo:
        states = {name: state for name, state in _states(repo).items() if name in named}
        _require_no_dead([name for name, state in states.items() if state == "dead"])
        if states and not only_missing:
            lines = "".join(f"\n  {name} ({states[name]})" for name in named if name in states)
            raise InputError(f"each experiment must be new, or --missing given. Got:{lines}")
        new = [name for name in named if name not in states]
        for name in new:
            repo.experiments.run(queue=True, name=name, params=named[name])
    return Queued(new, len(states))


def _states(repo: Repo) -> dict[str, str]:
    """Say which experiments of this commit are done, queued, running or dead; not the failed."""
    tasks, rev = repo.experiments.celery_queue, repo.scm.get_rev()
    states = {name: "done" for name, _ in repo.experiments.ls(rev=rev)[rev]}
    queued = ((entry, "queued") for entry in tasks.iter_queued())
    active = ((e, "dead" if _died(tasks, e.stash_rev) else "running") for e in tasks.iter_active())
    return states | {e.name: state for e, state in chain(queued, active) if e.baseline_rev == rev}


def _died(tasks: Any, task: str) -> bool:
    # DVC takes a task for running until its worker says otherwise, even where that was killed.
    process = tasks.proc.get(task)
    if process is None or process.returncode is not None:  # about to start, or to be collected
        return False
    try:
        os.kill(process.pid, 0)  # asks only
    except ProcessLookupError:
        return True
    return False


def _require_no_dead(names: list[str]) -> None:
    if names:
        raise InputError(
            "what DVC takes for running must run. The process of these was killed; mark them as "
            f"failed, then queue with --missing:\n  dvc queue kill {' '.join(names)}"
        )
