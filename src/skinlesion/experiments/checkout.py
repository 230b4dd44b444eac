"""What git and DVC say of a clone: its commits, its files, what is out of date or not shared."""

import json
import re
import subprocess
import sys
from pathlib import Path

import dvc.api
from dvc.exceptions import DvcException
from dvc_data.index import DataIndexError
from scmrepo.exceptions import SCMError

from skinlesion.errors import InputError

__all__ = ["ask", "commit", "commits", "not_in_remote", "read", "stale"]


def ask(clone: Path, *arguments: str) -> str:
    """Ask DVC, by its command line.

    Args:
        clone: A clone.
        *arguments: "params", "diff" and the like.

    Returns:
        What it printed.

    Raises:
        InputError: It failed; its own words are in the message.
    """
    ran = _run(clone, *arguments)
    if ran.returncode:
        raise InputError(f"`dvc {' '.join(arguments)}` must succeed. {ran.stderr.strip()}")
    return ran.stdout


def commits(base: str, clone: Path) -> tuple[str, str]:
    """Find the two commits of a pull request.

    Args:
        base: The branch that it is to be merged into, or a commit of it.
        clone: The clone, at the pull request's commit.

    Returns:
        Hashes: where the pull request left the base, and its own commit. What the base has
        gained since then is no change of the pull request.

    Raises:
        InputError: The clone does not hold the base, or shares no history with it.
    """
    left = _git(clone, "merge-base", base, "HEAD")
    if left.returncode:
        raise InputError(
            f"{base} must be a branch or commit that this clone holds and that shares a history "
            f"with its HEAD. Is the clone shallow? {left.stderr.strip()}"
        )
    return left.stdout.strip(), commit("HEAD", clone)


def commit(name: str, clone: Path) -> str:
    """Find the hash of a commit.

    Args:
        name: A branch, a tag, a hash or its beginning.
        clone: The clone.

    Raises:
        InputError: The clone does not hold it.
    """
    found = _git(clone, "rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}")
    if found.returncode:
        raise InputError(f"{name} must be a commit of this clone. {found.stderr.strip()}")
    return found.stdout.strip()


def stale(clone: Path) -> list[str]:
    """List the stages that `dvc repro` would run, judged without the data.

    Args:
        clone: A clone, with or without its data.

    Returns:
        Names, in the order of the pipeline; none where dvc.lock is current. Stages behind them
        may be missing: whether those would run is not known yet.

    Raises:
        InputError: DVC says neither that stages would run nor that all is up to date.
    """
    # Without its data, a stage that would run fails where it looks for what it reads.
    ran = _run(clone, "repro", "--dry", "--allow-missing", "--keep-going")
    names = re.findall(r"(?:Running stage|failed to reproduce) '([^']+)'", ran.stdout + ran.stderr)
    if not names and (ran.returncode or "up to date" not in ran.stdout):
        raise InputError(f"dvc.yaml and dvc.lock must be a pipeline. {ran.stderr.strip()}")
    return list(dict.fromkeys(names))


def not_in_remote(clone: Path) -> list[str]:
    """List the data of the current commit that teammates cannot pull.

    Args:
        clone: A clone, with or without its data. Where its remote cannot be reached, DVC
            counts nothing as being on it.

    Returns:
        Paths of files and folders, sorted.
    """
    status = ask(clone, "data", "status", "--not-in-remote", "--granular", "--json")
    return sorted(json.loads(status).get("not_in_remote", []))


def read(path: str, commit: str, clone: Path) -> bytes:
    """Read a file of a commit from git, the cache or the remote.

    Args:
        path: Of the file in the repository.
        commit: Which version of it.
        clone: A clone that holds the commit.

    Raises:
        InputError: The commit has no such file, or its data can be had nowhere.
    """
    try:
        content = dvc.api.read(path, repo=str(clone), rev=commit, mode="rb")
    except (DvcException, DataIndexError, SCMError, OSError) as error:
        raise InputError(
            f"{path} of {commit[:7]} must be in git or on the remote. {error}"
        ) from None
    return bytes(content)


def _git(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = ["git", *arguments]
    return subprocess.run(line, cwd=clone, capture_output=True, text=True)


def _run(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(line, cwd=clone, capture_output=True, text=True)
