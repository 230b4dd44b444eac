"""What DVC says of two commits: what is out of date, what is not shared, and what differs."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import dvc.api
from dvc.exceptions import DvcException
from dvc_data.index import DataIndexError
from scmrepo.exceptions import SCMError

from skinlesion.errors import InputError

__all__ = [
    "Change",
    "Metric",
    "ask",
    "commits",
    "graph",
    "metrics",
    "not_in_remote",
    "params",
    "read",
    "stale",
]


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


def ask(repository: Path, *arguments: str) -> str:
    """Ask DVC, by its command line.

    Args:
        repository: A clone.
        *arguments: "params", "diff" and the like.

    Returns:
        What it printed.

    Raises:
        InputError: It failed; its own words are in the message.
    """
    ran = _run(repository, *arguments)
    if ran.returncode:
        raise InputError(f"`dvc {' '.join(arguments)}` must succeed. {ran.stderr.strip()}")
    return ran.stdout


def commits(base: str, repository: Path) -> tuple[str, str]:
    """Find the two commits of a pull request.

    Args:
        base: The branch that it is to be merged into, or a commit of it.
        repository: The clone, at the pull request's commit.

    Returns:
        Hashes: where the pull request left the base, and its own commit. What the base has
        gained since then is no change of the pull request.

    Raises:
        InputError: The clone does not hold the base, or shares no history with it.
    """
    found = [
        subprocess.run(["git", *line], cwd=repository, capture_output=True, text=True)
        for line in (["merge-base", base, "HEAD"], ["rev-parse", "HEAD"])
    ]
    if found[0].returncode:
        raise InputError(
            f"{base} must be a branch or commit that this clone holds and that shares a history "
            f"with its HEAD. Is the clone shallow? {found[0].stderr.strip()}"
        )
    return found[0].stdout.strip(), found[1].stdout.strip()


def stale(repository: Path) -> list[str]:
    """List the stages that `dvc repro` would run, judged without the data.

    Args:
        repository: A clone, with or without its data.

    Returns:
        Names, in the order of the pipeline; none where dvc.lock is current. Stages behind them
        may be missing: whether those would run is not known yet.

    Raises:
        InputError: DVC says neither that stages would run nor that all is up to date.
    """
    # Without its data, a stage that would run fails where it looks for what it reads.
    ran = _run(repository, "repro", "--dry", "--allow-missing", "--keep-going")
    names = re.findall(r"(?:Running stage|failed to reproduce) '([^']+)'", ran.stdout + ran.stderr)
    if not names and (ran.returncode or "up to date" not in ran.stdout):
        raise InputError(f"dvc.yaml and dvc.lock must be a pipeline. {ran.stderr.strip()}")
    return list(dict.fromkeys(names))


def not_in_remote(repository: Path) -> list[str]:
    """List the data of the current commit that teammates cannot pull.

    Args:
        repository: A clone, with or without its data. Where its remote cannot be reached, DVC
            counts nothing as being on it.

    Returns:
        Paths of files and folders, sorted.
    """
    status = ask(repository, "data", "status", "--not-in-remote", "--granular", "--json")
    return sorted(json.loads(status).get("not_in_remote", []))


def metrics(before: str, after: str, repository: Path) -> dict[str, Metric]:
    """Compare all metrics of two commits, by key ("holdout.pauc"), sorted.

    Args:
        before: A commit.
        after: Another one.
        repository: A clone that holds both.
    """
    found = _changes(ask(repository, "metrics", "diff", "--all", "--json", before, after))
    return {key: Metric(*map(_number, change)) for key, change in found.items()}


def params(before: str, after: str, repository: Path) -> dict[str, Change]:
    """List the params that differ between two commits, by key, sorted.

    Args:
        before: A commit.
        after: Another one.
        repository: A clone that holds both.
    """
    return _changes(ask(repository, "params", "diff", "--json", before, after))


def graph(repository: Path) -> str:
    """Draw the stages of the pipeline as Mermaid, in a Markdown block."""
    return ask(repository, "dag", "--md").strip()


def read(path: str, commit: str, repository: Path) -> bytes:
    """Read a file of a commit from git, the cache or the remote.

    Args:
        path: Of the file in the repository.
        commit: Which version of it.
        repository: A clone that holds the commit.

    Raises:
        InputError: The commit has no such file, or its data can be had nowhere.
    """
    try:
        content = dvc.api.read(path, repo=str(repository), rev=commit, mode="rb")
    except (DvcException, DataIndexError, SCMError, OSError) as error:
        raise InputError(
            f"{path} of {commit[:7]} must be in git or on the remote. {error}"
        ) from None
    return bytes(content)


def _changes(diff: str) -> dict[str, Change]:
    tables = json.loads(diff).values()
    found = {key: Change(c["old"], c["new"]) for table in tables for key, c in table.items()}
    return dict(sorted(found.items()))


def _number(value: object) -> float | None:
    # `dvc metrics diff` shows NaN, a word and nothing at all with the same exit code, 0.
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def _run(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(line, cwd=repository, capture_output=True, text=True)
