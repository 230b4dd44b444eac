"""Run a stage as one of the processes that train together: docs/scaling.md.

    python scripts/worker.py STAGE

STAGE is train@0, say; KERAS_DISTRIBUTION_NUM_PROCESSES and _PROCESS_ID say of how many processes
this is which. Process 0 runs the stage through DVC, changed or not, which takes its outs. Every
other runs the stage's command alone: DVC's lock is taken, and no out is its to write.
"""

import os
import sys

from dvc.exceptions import DvcException
from dvc.repo import Repo

from skinlesion import errors
from skinlesion.training import processes


def main(stage: str) -> None:
    process = processes.current().process_index  # before DVC removes the outs
    command = _command(stage)
    if process == 0:
        command = f"dvc repro --single-item --force {stage}"
    os.execvp("sh", ["sh", "-c", command])  # signals reach the stage, its exit code the caller


def _command(stage: str) -> str:
    try:
        with Repo() as repo:
            os.chdir(repo.root_dir)
            return str(repo.stage.load_one(name=stage).cmd)
    except DvcException as error:
        raise errors.InputError(f"{stage} must be a stage of dvc.yaml. {error}") from None


if __name__ == "__main__":
    errors.run(main, *sys.argv[1:])
