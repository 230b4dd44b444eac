"""What differs between two commits, as DVC finds it."""

import json
import math
from pathlib import Path
from typing import NamedTuple

from skinlesion.experiments import checkout

__all__ = ["Change", "Metric", "metrics", "outs", "params"]

DVC_KINDS = ("added", "deleted", "modified", "renamed")


class Change(NamedTuple):
    """A param before and after; None where there is none."""

    before: object
    after: object


class Metric(NamedTuple):
    """A metric before and after; None where there is no finite number."""

    before: float | None = None
    after: float | None = None

    @property
    def difference(self) -> float | None:
        """After - before, None unless both are known."""
        return None if self.before is None or self.after is None else self.after - self.before


def metrics(before: str, after: str, clone: Path) -> dict[str, Metric]:
    """Compare all metrics of two commits, by key ("holdout.pauc"), sorted.

    Args:
        before: A commit.
        after: Another one.
        clone: A clone that holds both.
    """
    found = _changes(checkout.ask(clone, "metrics", "diff", "--all", "--json", before, after))
    return {key: Metric(*map(_number, change)) for key, change in found.items()}


def params(before: str, after: str, clone: Path) -> dict[str, Change]:
    """List the params that differ between two commits, by key, sorted.

    Args:
        before: A commit.
        after: Another one.
        clone: A clone that holds both.
    """
    return _changes(checkout.ask(clone, "params", "diff", "--json", before, after))


def outs(before: str, after: str, clone: Path) -> dict[str, list[str]]:
    """List the outs that differ between two commits, by "added", "changed" and "removed", sorted.

    What a listed folder holds is not listed beside it: DVC knows it only where it has the data.

    Args:
        before: A commit.
        after: Another one.
        clone: A clone that holds both, with or without their data.
    """
    found = json.loads(checkout.ask(clone, "diff", "--json", before, after))
    of = {k: [entry["path"] for entry in found.get(k, [])] for k in DVC_KINDS}  # {} if none differs
    paths = {
        "added": of["added"] + [path["new"] for path in of["renamed"]],
        "changed": of["modified"],
        "removed": of["deleted"] + [path["old"] for path in of["renamed"]],
    }
    return {kind: _outermost(of_kind) for kind, of_kind in paths.items()}


def _outermost(paths: list[str]) -> list[str]:
    folders = [path for path in paths if path.endswith("/")]
    inside = {path for f in folders for path in paths if path.startswith(f) and path != f}
    return sorted(set(paths) - inside)


def _changes(diff: str) -> dict[str, Change]:
    tables = json.loads(diff).values()
    found = {key: Change(c["old"], c["new"]) for table in tables for key, c in table.items()}
    return dict(sorted(found.items()))


def _number(value: object) -> float | None:
    # `dvc metrics diff` shows NaN, a word and nothing at all with the same exit code, 0.
    return value if isinstance(value, int | float) and math.isfinite(value) else None
