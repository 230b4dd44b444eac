"""List experiments: name, changed params, figures; newest first, in lines that fit a terminal."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from dvc.utils.flatten import flatten

from skinlesion.experiments import repository
from skinlesion.experiments.names import short, shown

__all__ = ["Experiment", "collect", "table"]

FIGURES = ("holdout.pauc", "holdout.auc", "oof.pauc", "oof.auc")
TITLES = ("experiment", "created", "pAUC", "AUC", "pAUC", "AUC", "changed params")
WIDTHS = (26, 10, 6, 6, 6, 6)  # of all columns but the last, which gets the rest
NONE = "There are no experiments in this clone. `dvc exp run -S train.learning_rate=1e-3` makes one"


@dataclass(frozen=True)
class Experiment:
    """An experiment, or a commit that experiments vary."""

    name: str
    created: datetime | None  # None where DVC does not know
    state: str  # "success", "queued", "running" or "failed"
    figures: Mapping[str, float]  # by name of the metric; empty unless it succeeded
    changed: Mapping[str, str]  # params that differ from the commit, by their short names
    is_commit: bool = False


def collect() -> list[Experiment]:
    """Read HEAD and all experiments of all commits from the repository of the current folder.

    Returns:
        HEAD first, then the experiments, newest first.

    Raises:
        InputError: The current folder is in no repository of DVC and git.
    """
    with repository.opened() as repo:
        head = repo.scm.get_rev()
        revs = [head, *(rev for rev in repo.experiments.ls(all_commits=True) if rev != head)]
        commits = [s for s in repo.experiments.show(revs=revs) if s.rev != "workspace"]
    found = [_commit(state) for state in commits if state.rev == head]
    experiments = [one for state in commits for one in _of_commit(state)]
    return found + sorted(experiments, key=lambda one: one.created or datetime.max, reverse=True)


def table(experiments: Sequence[Experiment], *, width: int = 100) -> str:
    """Set out experiments as text; a long name, and several settings, take several lines.

    Args:
        experiments: In the order of the rows.
        width: Characters of a line, 80 or more.

    Returns:
        The text; it says so where there is no experiment.
    """
    above = [" " * (sum(WIDTHS[:2]) + 4), "holdout".ljust(sum(WIDTHS[2:4]) + 4), "out of fold"]
    lines = ["".join(above), _line(TITLES)]
    for one in experiments:
        lines += _lines(one, width)
    if all(one.is_commit for one in experiments):
        lines += ["", NONE]
    return "\n".join(lines)


def _commit(state: Any) -> Experiment:
    name = f"{state.rev[:7]} (HEAD)"
    return Experiment(
        name, state.data and state.data.timestamp, "success", _figures(state), {}, True
    )


def _of_commit(commit: Any) -> Iterator[Experiment]:
    base = _params(commit)
    for one in commit.experiments or ():
        tip = one.revs[0]
        state = one.executor.state if one.executor else "success"
        given = _params(tip)
        yield Experiment(
            name=one.name or tip.name or tip.rev[:7],
            created=tip.data.timestamp if tip.data else None,
            state=state,
            # DVC shows failed and running ones with the metrics of the commit they started from.
            figures=_figures(tip) if state == "success" else {},
            changed={
                short(key, list(given)): shown(value)
                for key, value in given.items()
                if base.get(key) != value
            },
        )


def _params(state: Any) -> dict[str, object]:
    return _values(state.data.params if state.data else {})


def _figures(state: Any) -> dict[str, float]:
    found = _values(state.data.metrics if state.data else {})
    return {key: float(v) for key in FIGURES if isinstance(v := found.get(key), int | float)}


def _values(files: Mapping[str, Any]) -> dict[str, object]:
    """Return the values of several files by their dotted keys."""
    return {k: v for of in files.values() for k, v in flatten(of.get("data") or {}).items()}


def _lines(one: Experiment, width: int) -> list[str]:
    figures = [f"{one.figures[key]:.4f}" if key in one.figures else "-" for key in FIGURES]
    if one.state != "success":
        figures = [one.state, "", "", ""]
    created = f"{one.created:%Y-%m-%d}" if one.created else ""
    rest = width - sum(WIDTHS) - 2 * len(WIDTHS)
    settings = [_wrapped(f"{key}={value}", rest) for key, value in one.changed.items()]
    names, changes = _wrapped(one.name, WIDTHS[0]), list(chain(*settings)) or [""]
    rows = [(names[0], created, *figures, changes[0])]
    for i in range(1, max(len(names), len(changes))):
        name, change = (column[i] if i < len(column) else "" for column in (names, changes))
        rows.append((name, *[""] * 5, change))
    return [_line(row) for row in rows]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=True) or [""]


def _line(cells: Sequence[str]) -> str:
    *first, last = cells
    padded = [cell.ljust(w) for cell, w in zip(first, WIDTHS, strict=True)]
    return "  ".join([*padded, last]).rstrip()
