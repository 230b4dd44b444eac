"""experiments.queueing, `skinlesion sweep`: a sweep outlasts the worker that runs it."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from tests.process import PATIENCE

ROOT = Path(__file__).parents[2]

TRAIN = """
import json, os, sys, time
from pathlib import Path

rate, gate = float(sys.argv[1]), Path(os.environ["GATE"])
with (gate / "runs.txt").open("a") as log:
    print(rate, file=log)
deadline = time.monotonic() + 300
while rate == 0.5 and not (gate / "open").exists():
    if time.monotonic() > deadline:
        sys.exit("nobody opened the gate")
    time.sleep(0.05)
Path("metrics.json").write_text(json.dumps({"oof": {"pauc": rate}}))
"""
FOLD = """
import sys, time
from pathlib import Path

Path("started", sys.argv[1]).touch()
deadline = time.monotonic() + 300
while len(list(Path("started").iterdir())) < 2:  # until the other one runs too
    if time.monotonic() > deadline:
        sys.exit("the other fold did not start meanwhile")
    time.sleep(0.05)
Path(f"model-{sys.argv[1]}").write_text(sys.argv[1])
"""
SWEPT = ["-S", "augment.cutout.rate=0.25,0.5,0.75"]
FIRST, SECOND, THIRD = (f"cutout-rate-{rate}" for rate in (0.25, 0.5, 0.75))
PIPELINE = {
    "train": {
        "cmd": "python train.py ${augment.cutout.rate}",
        "deps": ["train.py"],
        "params": ["augment"],
        "metrics": [{"metrics.json": {"cache": False}}],
    }
}
FOLDS = {
    "train": {
        "matrix": {"fold": [0, 1]},
        "cmd": "python train.py ${item.fold}",
        "deps": ["train.py"],
        "outs": ["model-${item.fold}"],
    }
}


class Scratch:
    """A repository with a pipeline of one stage, and what runs in it."""

    def __init__(self, folder: Path, stages: dict, script: str) -> None:
        self.folder, self.gate = folder / "project", folder
        self.folder.mkdir()
        self.env = os.environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),
            "DVC_SITE_CACHE_DIR": str(folder / "site"),
            "ITERATIVE_DO_NOT_TRACK": "1",
            "GATE": str(folder),
        }
        params = {"augment": {"cutout": {"rate": 0.0}, "hue": {"rate": 0.0}}}
        YAML().dump({"stages": stages}, self.folder / "dvc.yaml")
        YAML().dump(params, self.folder / "params.yaml")
        (self.folder / "train.py").write_text(script)
        self("git init -q && git config user.name x && git config user.email x@y && dvc init -q")

    def __call__(self, line: str) -> subprocess.CompletedProcess:
        ran = subprocess.run(
            line, shell=True, cwd=self.folder, env=self.env, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stderr
        return ran

    def sweep(self, *args: str) -> subprocess.CompletedProcess:
        line = [sys.executable, "-m", "skinlesion.cli", "sweep", *args]
        return subprocess.run(line, cwd=self.folder, env=self.env, capture_output=True, text=True)

    def experiments(self) -> dict[str, str]:
        listed = self("git for-each-ref refs/exps --format='%(refname) %(objectname)'").stdout
        pairs = (line.split() for line in listed.splitlines() if "/celery/" not in line)
        return {ref.split("/")[-1]: commit for ref, commit in pairs}

    def runs(self) -> list[str]:
        log = self.gate / "runs.txt"
        return log.read_text().split() if log.exists() else []

    def status(self) -> set[tuple[str, str]]:
        printed = self("dvc queue status").stdout
        return set(re.findall(r"^\w{7} +(\S+) .* (\w+)$", printed, re.MULTILINE))

    def start(self) -> None:
        self("dvc queue start >/dev/null 2>&1")  # the worker would hold a pipe open

    def kill_worker(self) -> None:
        """Do as a loss of power does: end the worker, and all that it started, at once."""
        file = self.folder / ".dvc/tmp/exps/celery/dvc-exp-worker-1.json"
        group = os.getpgid(YAML(typ="safe").load(file)["pid"])
        assert group != os.getpgrp()
        os.killpg(group, signal.SIGKILL)


def wait_for(condition, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A sweep of three, of which the second ran when the worker was killed."""
    scratch = Scratch(tmp_path_factory.mktemp("sweep"), PIPELINE, TRAIN)
    scratch("dvc repro -q && git add . && git commit -qm baseline")
    assert scratch.sweep("queue", *SWEPT).returncode == 0
    scratch.start()
    wait_for(lambda: scratch.runs()[-1:] == ["0.5"])
    scratch.kill_worker()
    return scratch


@pytest.fixture(scope="module")
def resumed(killed):
    """The same sweep, after what was not done was queued and run again."""
    said = {"status": killed.status(), "done": killed.experiments()}
    said["refused"] = killed.sweep("queue", "--missing", *SWEPT)
    killed(f"dvc queue kill {SECOND}")
    said["existing"] = killed.sweep("queue", *SWEPT)
    said["missing"] = killed.sweep("queue", "--missing", *SWEPT)
    said["queued"] = killed.status()
    (killed.gate / "open").touch()
    killed.start()
    # By name: DVC has refs of its own there while it runs an experiment.
    wait_for(lambda: sorted(killed.experiments()) == [FIRST, SECOND, THIRD])
    yield killed, said
    with contextlib.suppress(ProcessLookupError):  # it ends when it has nothing to do
        killed.kill_worker()


def test_dvc_takes_an_experiment_for_running_after_its_worker_was_killed(resumed):
    _, said = resumed

    assert said["status"] == {(FIRST, "Success"), (SECOND, "Running"), (THIRD, "Queued")}
    assert said["refused"].returncode == 1
    assert f"dvc queue kill {SECOND}" in said["refused"].stderr


def test_what_was_not_done_can_be_queued_again_and_nothing_else(resumed):
    _, said = resumed

    assert said["missing"].stdout.endswith("queued 1 experiments of 3, 2 exist already\n")
    assert said["queued"] - said["status"] == {(SECOND, "Failed"), (SECOND, "Queued")}


def test_what_was_done_stays_and_is_not_run_again(resumed):
    scratch, said = resumed

    assert list(said["done"]) == [FIRST]
    assert scratch.experiments()[FIRST] == said["done"][FIRST]
    assert sorted(scratch.experiments()) == [FIRST, SECOND, THIRD]
    assert sorted(scratch.runs()) == ["0.0", "0.25", "0.5", "0.5", "0.75"]


def test_experiments_that_are_there_are_an_error_that_names_them(resumed):
    _, said = resumed

    assert said["existing"].returncode == 1
    assert f"{FIRST} (done)" in said["existing"].stderr
    assert f"{THIRD} (queued)" in said["existing"].stderr
    assert SECOND not in said["existing"].stderr


def test_the_table_is_of_what_dvc_stored(resumed):
    printed = resumed[0].sweep("table").stdout.splitlines()

    assert [line.split()[0] for line in printed[1:5]] == ["0.7500", "0.5000", "0.2500", "0.0000"]
    assert printed[4].endswith("baseline")
    assert printed[5] == f"best by oof.pauc: {THIRD}"


def test_the_picture_is_of_what_dvc_stored(resumed):
    scratch, _ = resumed
    ran = scratch.sweep("plot", "sweep.png")

    assert ran.stdout == "sweep.png: 3 experiments, by cutout.rate\n", ran.stderr
    assert (scratch.folder / "sweep.png").read_bytes().startswith(b"\x89PNG")


def test_folds_train_side_by_side(tmp_path):
    scratch = Scratch(tmp_path, FOLDS, FOLD)
    (scratch.folder / "started").mkdir()
    scratch("dvc repro -q -s train@0 & one=$!; dvc repro -q -s train@1 && wait $one")

    assert "up to date" in scratch("dvc repro").stdout
