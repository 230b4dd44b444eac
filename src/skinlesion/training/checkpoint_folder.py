"""The folder of checkpoints, and how long an abandoned one is kept."""

import re
import shutil
import time
from pathlib import Path

__all__ = ["KEPT_S", "folder", "remove_old"]

KEPT_S = 30 * 24 * 3600.0  # untouched for so long, a checkpoint is abandoned
_NAME = re.compile(r"[0-9a-f]{32}\b.*")  # of what `fingerprint.key` named


def folder(stage: Path) -> Path:
    """Return the folder of checkpoints.

    Not among the outs: DVC removes those before it runs a stage.

    Args:
        stage: Absolute; where a stage runs.

    Returns:
        Its folder `checkpoints`; of an experiment that runs in `.dvc/tmp/exps/...` that of the
        repository, which is the same for every attempt.
    """
    temporary = [path for path in stage.parents if path.parts[-3:] == (".dvc", "tmp", "exps")]
    return (temporary[0].parents[2] if temporary else stage) / "checkpoints"


def remove_old(folder: Path) -> None:
    """Remove the checkpoints of other runs that are older than KEPT_S.

    Args:
        folder: From `folder`; need not exist. What no run has named stays.
    """
    oldest = time.time() - KEPT_S
    named = (path for path in folder.glob("*") if _NAME.fullmatch(path.name))
    for path in [path for path in named if _changed(path) < oldest]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime  # of a folder: when a file was last put into it
    except FileNotFoundError:
        return time.time()  # another run has just removed it
