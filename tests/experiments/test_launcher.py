"""experiments.launcher, `skinlesion train-process`: through DVC in process 0 only."""

import subprocess
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo
from tests import test_stages

ROOT = Path(__file__).parents[2]
COUNT, PROCESS = "KERAS_DISTRIBUTION_NUM_PROCESSES", "KERAS_DISTRIBUTION_PROCESS_ID"
# What a process says goes to a file of its own; the stage has one out, and fails if told to.
PIPELINE = f"""
stages:
  train:
    matrix:
      fold: [0, 1]
    cmd: >-
      echo "fold ${{item.fold}}, process ${PROCESS}, ${{word}}" > said-${PROCESS} &&
      [ ! -e fail ] && echo out > out-${{item.fold}}
    outs:
      - out-${{item.fold}}
"""


@pytest.fixture
def project(tmp_path) -> Path:
    folder = tmp_path / "project"
    (folder / "below").mkdir(parents=True)
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / "params.yaml").write_text("word: hello\n")
    ran = test_stages.shell(folder, "dvc init --quiet --no-scm")
    assert ran.returncode == 0, ran.stderr
    return folder


def launched(folder: Path, stage: str, process: str | None) -> subprocess.CompletedProcess:
    env = test_stages.environment(folder) | {"PYTHONPATH": str(ROOT / "src")}
    env |= {COUNT: "4"} | ({} if process is None else {PROCESS: process})
    line = [sys.executable, "-m", "skinlesion.cli", "train-process", stage]
    return subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True)


def test_process_0_runs_the_stage_through_dvc_changed_or_not(project):
    for _ in range(2):
        ran = launched(project, "train@1", "0")
        assert ran.returncode == 0, ran.stderr
        assert (project / "said-0").read_text() == "fold 1, process 0, hello\n"
        (project / "said-0").unlink()

    assert "train@1" in (project / "dvc.lock").read_text()
    assert (project / "out-1").read_text() == "out\n"


def test_another_process_runs_the_same_command_beside_a_locked_dvc(project):
    with Repo(str(project)) as repo, repo.lock:
        ran = launched(project / "below", "train@1", "3")

    assert ran.returncode == 0, ran.stderr
    assert (project / "said-3").read_text() == "fold 1, process 3, hello\n"
    assert not (project / "dvc.lock").exists()


@pytest.mark.parametrize("process", ["0", "1"])
def test_the_exit_code_is_that_of_the_stage(project, process):
    (project / "fail").touch()

    assert launched(project, "train@0", process).returncode != 0


@pytest.mark.parametrize(
    ("stage", "process", "expected"),
    [
        ("train@7", "1", "error: train@7 must be a stage of dvc.yaml. Stage 'train@7' not found"),
        ("predict", "1", "error: STAGE must be a training stage, such as train@0. Got 'predict'"),
        ("train@0", None, f"error: {PROCESS} must be a whole number from 0 to 3. It is not set."),
        ("train@0", "4", f"error: {PROCESS} must be a whole number from 0 to 3. Got '4' instead."),
    ],
)
def test_what_cannot_be_run_is_named(project, stage, process, expected):
    ran = launched(project, stage, process)

    assert ran.returncode == 1
    assert expected in ran.stderr
    assert not list(project.glob("said-*"))
    assert "Traceback" not in ran.stderr
