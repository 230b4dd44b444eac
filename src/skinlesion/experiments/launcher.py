"""Start one of the processes that train a fold together: through DVC in process 0 only."""

import os

from dvc.exceptions import DvcException
from dvc.repo import Repo

from skinlesion.errors import InputError

__all__ = ["run"]


def run(stage: str, *, process_index: int) -> None:
    """Replace this process by the training of a stage, from the root of the repository.

    Process 0 runs `dvc repro`, which records the outs. The others run the command of the stage:
    DVC's lock is taken, and they write no out. Signals reach the training, and its exit code the
    caller.

    Args:
        stage: A stage `train` of dvc.yaml, such as "train@0".
        process_index: From 0.

    Raises:
        InputError: There is no such stage, or it does not train.
    """
    if stage.partition("@")[0] != "train":
        raise InputError(f"STAGE must be a training stage, such as train@0. Got {stage!r} instead.")
    command = _command(stage)  # before DVC removes the outs
    if process_index == 0:
        command = f"dvc repro --single-item --force {stage}"
    os.execvp("sh", ["sh", "-c", command])


def _command(stage: str) -> str:
    try:
        with Repo() as repo:
            os.chdir(repo.root_dir)
            return str(repo.stage.load_one(name=stage).cmd)
    except DvcException as error:
        raise InputError(f"{stage} must be a stage of dvc.yaml. {error}") from None
