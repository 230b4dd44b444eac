"""experiments.sweep, scripts/sweep.py: names to read, a picture to show, a sweep that lasts."""

import contextlib
import io
import itertools
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

from skinlesion.errors import InputError
from skinlesion.experiments import sweep

ROOT = Path(__file__).parents[2]
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


# === Results ===

DEFAULTS = dict.fromkeys(KNOWN, "x") | {"augment.cutout.rate": 0.0, "split.train_folds": "[0]"}


def row(name: str | None, value: float | None, *, state: str | None = "Success", **changes):
    """A row as dvc.api.exp_show gives it; `a__b=1` stands for the param a.b."""
    params = {key.replace("__", "."): changed for key, changed in changes.items()}
    kind = (
        {"rev": "main", "typ": "baseline"} if name is None else {"rev": "1", "typ": "branch_base"}
    )
    return {"Experiment": name, "State": state, "oof.pauc": value, **kind, **DEFAULTS, **params}


@pytest.fixture
def rows():
    return [
        row(None, None) | {"rev": "workspace", "oof.pauc": 0.19},
        row(None, 0.14),
        row("a", 0.13, augment__cutout__rate=0.5),
        row("b", 0.15, augment__cutout__rate=0.25, resample__negatives_per_positive="None"),
        row("c", 0.12),
    ]


def read(rows, **changes) -> sweep.Results:
    return sweep.read(rows, KNOWN, **{"metric": "oof.pauc"} | changes)


def test_only_params_that_were_varied_appear(rows):
    assert list(read(rows).shorts.values()) == ["negatives_per_positive", "cutout.rate"]


def test_the_best_experiment_is_first(rows):
    assert list(read(rows).scores.index) == ["b", "a", "c"]


@pytest.mark.parametrize("order", itertools.islice(itertools.permutations(range(5)), 0, 120, 17))
def test_the_order_of_the_rows_is_irrelevant(rows, order):
    rows.append(row("tie", 0.13))
    shuffled = [rows[-1], *(rows[i] for i in order)]

    assert sweep.table(read(shuffled)) == sweep.table(read(rows))


def test_an_interval_is_read_where_the_metrics_have_one(rows):
    assert read(rows).scores[["low", "high"]].isna().all(axis=None)

    for given in rows:
        given |= {"oof.pauc_low": 0.1, "oof.pauc_high": 0.2}
    assert read(rows).scores["low"].eq(0.1).all()
    assert "0.1500 [0.1000, 0.2000]" in sweep.table(read(rows))


def test_metrics_of_other_names_do_no_harm(rows):
    more = {"holdout.average_precision": 0.5, "test.n_unreadable": 0.0}

    assert sweep.table(read([given | more for given in rows])) == sweep.table(read(rows))


def test_the_baseline_is_the_commit_and_not_the_workspace(rows):
    assert read(rows).baseline["value"].tolist() == [0.14]


def test_what_the_baseline_sets_otherwise_is_said(rows):
    rows[1]["model.backbone"] = "efficientnetv2_b2"

    assert list(read(rows).baseline.index) == ["baseline, backbone efficientnetv2_b2"]


def test_without_a_score_of_the_baseline_there_is_none(rows):
    rows[1]["oof.pauc"] = None

    assert read(rows).baseline.empty
    assert "baseline" not in sweep.table(read(rows))


def test_what_is_not_finished_is_counted_and_not_shown(rows):
    rows += [row("d", None, state="Queued"), row("e", None, state="Failed")]
    rows += [row("c", None, state="Failed")]  # and queued again, and finished

    assert read(rows).unfinished == {"Failed": 1, "Queued": 1}
    assert list(read(rows).scores.index) == ["b", "a", "c"]


@pytest.mark.parametrize("state", ["Failed", "Running", "Queued"])
def test_an_experiment_that_is_not_finished_does_not_get_the_score_it_began_with(rows, state):
    rows.append(row("d", 0.14, state=state, augment__cutout__rate=1.0))

    assert "d" not in read(rows).scores.index


def test_experiments_are_taken_by_name(rows):
    assert list(read(rows, match="[ac]").scores.index) == ["a", "c"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"metric": "oof.pac"}, r"have the metric oof\.pac\. Got 3 .* Did you mean 'oof\.pauc'"),
        (
            {"match": "z*"},
            r"like 'z\*' must have .* Got 0 experiments of this commit, none with it\.$",
        ),
    ],
)
def test_without_an_experiment_to_show_there_is_an_error(rows, changes, expected):
    with pytest.raises(InputError, match=expected):
        read(rows, **changes)


def grid(n_backbones: int = 5) -> list[dict]:
    """Thirty experiments over four params, some of long names and values."""
    axes = {
        "model__backbone": [f"efficientnetv2_b{i}" for i in range(n_backbones)],
        "encode__numeric": ["[]", str(["tbp_lv_nevi_confidence", "clin_size_long_diam_mm"])],
        "resample__negatives_per_positive": [3.0, 10.0, "None"],
    }
    found = [row(None, 0.14)]
    for i, values in enumerate(itertools.product(*axes.values())):
        settings = dict(zip(axes, values, strict=True)) | {"train__seed": float(i % 4)}
        interval = {"oof.pauc_low": 0.09, "oof.pauc_high": 0.16}
        found.append(row("_".join(map(str, values)), 0.1 + i / 1000, **settings) | interval)
    return found


def test_a_table_fits_a_hundred_columns():
    lines = sweep.table(read(grid())).splitlines()

    assert max(map(len, lines)) <= 100
    assert len(lines) > 30
    assert "efficientnetv2_b4" in lines[2]


def test_a_value_is_shown_as_one_writes_it(rows):
    rows[2]["split.train_folds"] = "[0, 1]"
    shown = sweep.table(read(rows))

    assert all(f" {value} " in shown for value in ("0.5", "0.25", "null", "[0,1]"))


# === The picture ===

ONE_PARAM = [
    row(str(i), i / 100, train__n_epochs=float(i % 15)) | {"oof.pauc_low": 0.0, "oof.pauc_high": 1}
    for i in range(30)
]


def boxes(texts) -> list:
    return [text.get_window_extent() for text in texts if text.get_text()]


def overlaps(one, other) -> bool:
    return min(one.x1, other.x1) - max(one.x0, other.x0) > 1 and (
        min(one.y1, other.y1) - max(one.y0, other.y0) > 1
    )


DIFFERENT = {"train.learning_rate": 0.002, "keras.precision": "mixed_float16", "data.raw": "data"}


@pytest.mark.parametrize(
    "given",
    [grid(), grid(2), ONE_PARAM, [row(None, 0.1) | DIFFERENT, *ONE_PARAM]],
    ids=["4 params", "shorter", "15 values", "other baseline"],
)
def test_no_text_of_the_picture_covers_another_or_is_cut_off(given):
    figure = sweep.draw(read(given))
    figure.draw_without_rendering()
    panels = figure.axes
    written = [figure._suptitle, *figure.legends[0].get_texts(), panels[0].yaxis.label]
    written += [axes.xaxis.label for axes in panels]
    level = [tick for axes in panels for tick in axes.get_xticklabels() if not tick.get_rotation()]

    for one, other in itertools.combinations(boxes([*written, *level]), 2):
        assert not overlaps(one, other)
    for box in boxes([*written, *(tick for axes in panels for tick in axes.get_xticklabels())]):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1


def test_equal_results_give_equal_bytes():
    files = io.BytesIO(), io.BytesIO()
    for file, given in zip(files, (grid(), grid()[::-1]), strict=True):
        sweep.draw(read(given)).savefig(file)

    assert files[0].getvalue() == files[1].getvalue()


def test_every_panel_has_a_dot_per_experiment(rows):
    figure = sweep.draw(read(rows))

    assert [axes.get_xlabel() for axes in figure.axes] == ["negatives per positive", "cutout rate"]
    for axes in figure.axes:
        dots, best = axes.collections[:2]
        assert sorted(dots.get_offsets()[:, 1]) == [0.12, 0.13, 0.15]
        assert best.get_offsets()[:, 1].tolist() == [0.15]


def test_values_are_in_their_order_numbers_first():
    given = [row(f"{v}", 0.1, resample__negatives_per_positive=v) for v in ("None", 10.0, 9.0)]
    (axes,) = sweep.draw(read(given)).axes

    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["9", "10", "null"]


def test_experiments_that_differ_in_nothing_cannot_be_drawn(rows):
    with pytest.raises(InputError, match="must differ in a param"):
        sweep.draw(read(rows, match="a"))


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
