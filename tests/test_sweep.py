"""skinlesion.sweep, scripts/sweep.py: names to read, a sweep that lasts."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dvc.utils.flatten import flatten
from ruamel.yaml import YAML

from skinlesion import sweep
from skinlesion.errors import InputError

ROOT = Path(__file__).parents[1]
KNOWN = list(flatten(YAML(typ="safe").load(ROOT / "params.yaml")))
GRID = ["augment.cutout.rate=0.0,0.5", "resample.negatives_per_positive=3,10"]


# === Names ===


def test_a_name_says_what_is_set():
    assert list(sweep.named(GRID, KNOWN)) == [
        "cutout-rate-0_negatives-per-positive-3",
        "cutout-rate-0_negatives-per-positive-10",
        "cutout-rate-0.5_negatives-per-positive-3",
        "cutout-rate-0.5_negatives-per-positive-10",
    ]


def test_each_name_leads_to_the_overrides_that_it_says():
    assert sweep.named(GRID, KNOWN)["cutout-rate-0.5_negatives-per-positive-10"] == [
        "augment.cutout.rate=0.5",
        "resample.negatives_per_positive=10",
    ]


def test_no_two_params_are_called_the_same():
    shorts = [sweep.short(key, KNOWN).replace(".", "-") for key in KNOWN]

    assert len(set(shorts)) == len(KNOWN)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("augment.cutout.rate", "cutout.rate"),  # ten rates
        ("train.batch_size", "train.batch_size"),  # two batch sizes
        ("train.learning_rate", "learning_rate"),
        ("split.seed", "split.seed"),
    ],
)
def test_a_key_is_as_short_as_it_can_be_told_from_all_others(key, expected):
    assert sweep.short(key, KNOWN) == expected
    assert sweep.short(key, KNOWN[::-1]) == expected


def test_a_key_that_ends_another_keeps_its_whole_name():
    assert sweep.short("rate", ["rate", "hue.rate"]) == "rate"
    assert sweep.short("hue.rate", ["rate", "hue.rate"]) == "hue.rate"


def test_names_do_not_depend_on_the_order_of_the_overrides():
    assert set(sweep.named(GRID, KNOWN)) == set(sweep.named(GRID[::-1], KNOWN))


def test_equal_numbers_have_equal_names():
    names = {*sweep.named(["train.weight_decay=0"], KNOWN)}

    assert names == {*sweep.named(["train.weight_decay=0.0"], KNOWN)} == {"weight-decay-0"}


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("split.train_folds=[0,1]", ["train-folds-0-1"]),  # one value, no grid
        ("split.train_folds=[0],[1,2]", ["train-folds-0", "train-folds-1-2"]),
        ("split.train_folds=[]", ["train-folds-empty"]),
        ("split.n_folds=range(2,5)", ["n-folds-2", "n-folds-3", "n-folds-4"]),
        ("train.learning_rate=1e-3,1e-5", ["learning-rate-0.001", "learning-rate-1e-05"]),
        ("augment.hue.max_change=-0.1,0.1", ["hue-max-change--0.1", "hue-max-change-0.1"]),
        ("predict.strict=true,false", ["strict-true", "strict-false"]),
        ("predict.strict=1,0", ["strict-1", "strict-0"]),
        ("resample.negatives_per_positive=null,1", ["negatives-per-positive-null"]),
        ("data.raw=data/raw/isic-2024", ["raw-data-raw-isic-2024"]),
        ("model.backbone=efficientnetv2_b0", ["backbone-efficientnetv2-b0"]),
    ],
)
def test_values_are_expanded_as_dvc_does(override, expected):
    assert list(sweep.named([override], KNOWN))[: len(expected)] == expected


@pytest.mark.parametrize(
    "value", ["..", "a.lock", "'a b'", "'~^:?*[ '", "@", "'x@{y'", "/a//b/", ".a", "'é'"]
)
def test_every_name_is_a_valid_git_ref(value):
    (name,) = sweep.named([f"data.raw={value}"], KNOWN, prefix=".my/sweep.")
    ran = subprocess.run(["git", "check-ref-format", f"refs/exps/aa/{'b' * 38}/{name}"])

    assert ran.returncode == 0
    assert "/" not in name
    assert not name.startswith("-")


def test_a_name_too_long_for_a_file_is_cut_and_still_its_own():
    columns = ",".join(f"tbp_lv_column_{i}" for i in range(30))
    grid = [f"encode.numeric=[{columns},a],[{columns},b]"]
    names = list(sweep.named(grid, KNOWN))

    assert len(set(names)) == 2
    assert max(map(len, names)) < 200
    assert names == list(sweep.named(grid, KNOWN))


def test_a_prefix_comes_first():
    assert all(name.startswith("cutout_") for name in sweep.named(GRID, KNOWN, prefix="cutout"))


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("augment.cutout.rat=1", r"no augment\.cutout\.rat\. Did you mean 'augment\.cutout\.rate'"),
        ("augment.cutout={rate:1}", "There is no augment.cutout"),
        ("+train.more=1", r"There is no \+train\.more"),
        ("~train.seed", r"There is no ~train\.seed"),
        ("train.seed", "must be KEY=VALUES"),
        ("train.seed=1,,2", "must be KEY=VALUES"),
        ("train.seed=interval(0,1)", "must be KEY=VALUES"),
        ("train.seed=glob(*)", "must be KEY=VALUES"),
        ("train.seed=1,1", "name of its own. Got train-seed-1 twice"),
    ],
)
def test_a_grid_that_cannot_be_named_is_an_error(override, expected):
    with pytest.raises(InputError, match=expected):
        sweep.named([override], KNOWN)


# === With DVC ===

TRAIN = """
import json, os, sys, time
from pathlib import Path

rate, gate = float(sys.argv[1]), Path(os.environ["GATE"])
with (gate / "runs.txt").open("a") as log:
    print(rate, file=log)
deadline = time.monotonic() + 60
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
deadline = time.monotonic() + 60
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
        line = [sys.executable, str(ROOT / "scripts" / "sweep.py"), *args]
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


def wait_for(condition, seconds: float = 60) -> None:
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
    wait_for(lambda: len(killed.experiments()) == 3)
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

    assert said["missing"].stdout.endswith("queued 1 experiments of 3, 2 are there already\n")
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


def test_folds_train_side_by_side(tmp_path):
    scratch = Scratch(tmp_path, FOLDS, FOLD)
    (scratch.folder / "started").mkdir()
    scratch("dvc repro -q -s train@0 & one=$!; dvc repro -q -s train@1 && wait $one")

    assert "up to date" in scratch("dvc repro").stdout
