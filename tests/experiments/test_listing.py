"""experiments.listing, `skinlesion experiments`: what was tried, newest first."""

import itertools
import json
import re
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from tests import command_line, test_stages

from skinlesion.experiments import listing

ROOT = Path(__file__).parents[2]
FIGURES = {"holdout.pauc": 0.1512, "holdout.auc": 0.9313, "oof.pauc": 0.1214, "oof.auc": 0.9115}
LATE = datetime(2026, 11, 27, 17, 21)


def experiment(name: str = "my-try", **changes) -> listing.Experiment:
    given = {"created": LATE, "state": "success", "figures": FIGURES, "changed": {}}
    return listing.Experiment(name, **given | changes)


HEAD = experiment("0123456 (HEAD)", is_commit=True)


# === The table ===


def test_every_figure_stands_under_its_title():
    above, titles, row = listing.table([experiment()]).splitlines()
    where = {figure: row.index(f"{value:.4f}") for figure, value in FIGURES.items()}

    assert [m.start() for m in re.finditer("pAUC", titles)] == [
        where["holdout.pauc"],
        where["oof.pauc"],
    ]
    assert above.index("holdout") == where["holdout.pauc"]
    assert above.index("out of fold") == where["oof.pauc"]


@pytest.mark.parametrize("n", [1, 30, 150])
def test_no_line_is_longer_than_a_hundred_columns_and_nothing_is_lost(n):
    changed = {f"negatives_per_positive_{i}": "a" * n for i in range(3)}
    name = "-".join(["cutout"] * n)
    text = listing.table([HEAD, experiment(name, changed=changed)])
    lines = text.splitlines()[3:]
    columns = ["".join(line[a:b].strip() for line in lines) for a, b in ((0, 26), (72, 100))]

    assert max(map(len, text.splitlines())) <= 100
    assert columns[0] == name
    assert columns[1] == "".join(f"{key}={value}" for key, value in changed.items())


@pytest.mark.parametrize("state", ["queued", "running", "failed"])
def test_one_that_is_not_finished_shows_its_state(state):
    assert f"  {state}" in listing.table([experiment(state=state, figures={})])


def test_a_figure_that_a_run_lacks_is_a_dash():
    row = listing.table([experiment(figures={"oof.auc": 0.9})]).splitlines()[-1]

    assert row.split()[-4:] == ["-", "-", "-", "0.9000"]


def test_without_experiments_it_says_so_and_how_to_make_one():
    text = listing.table([HEAD])

    assert text.endswith(listing.NONE)
    assert listing.NONE not in listing.table([HEAD, experiment()])


# === With DVC ===

STAGE = {
    "cmd": "python evaluate.py",
    "params": ["train", "augment"],
    "metrics": [{"metrics/evaluation.json": {"cache": False}}],
}
EVALUATE = """
import json, pathlib, re
rate = float(re.search(r"learning_rate: ([0-9.]+)", open("params.yaml").read())[1])
of = {"pauc": rate, "pauc_low": 0.0, "pauc_high": 1.0, "auc": rate + 0.5}
pathlib.Path("metrics/evaluation.json").write_text(json.dumps({"holdout": of, "oof": of}))
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    """Two commits, with one experiment of the first and two of the second."""
    folder = tmp_path_factory.mktemp("listing") / "project"
    (folder / "metrics").mkdir(parents=True)
    yaml = YAML()
    yaml.dump({"stages": {"evaluate": STAGE}}, folder / "dvc.yaml")
    given = {"train": {"learning_rate": 0.1}, "augment": {"hue": {"rate": 0.0}}}
    yaml.dump(given, folder / "params.yaml")
    (folder / "evaluate.py").write_text(EVALUATE)
    for line in (
        "git init -q -b main && git config user.name x && git config user.email x@y && dvc init -q",
        "dvc repro -q && git add . && git commit -qm first",
        "dvc exp run -q -n older -S train.learning_rate=0.2 && git checkout -q .",
        "git commit -qm second --allow-empty",
        "dvc exp run -q -n newer -S train.learning_rate=0.3 -S augment.hue.rate=0.5",
        "git checkout -q . && dvc exp run -q --queue -n waits -S train.learning_rate=0.4",
    ):
        ran = test_stages.shell(folder, line)
        assert ran.returncode == 0, ran.stderr
    return folder


@pytest.fixture
def collected(repository, monkeypatch) -> dict[str, listing.Experiment]:
    monkeypatch.chdir(repository)
    return {one.name: one for one in listing.collect()}


def test_experiments_of_all_commits_are_listed_newest_first_below_head(repository, collected):
    head = test_stages.shell(repository, "git rev-parse --short=7 HEAD").stdout.strip()
    names, finished = list(collected), [one for one in collected.values() if not one.is_commit]

    assert names[0] == f"{head} (HEAD)"
    assert sorted(names[1:]) == ["newer", "older", "waits"]
    for one, other in itertools.pairwise(finished):
        assert one.created >= other.created


def test_each_shows_what_it_changes_in_its_own_commit_and_what_came_of_it(collected):
    older, newer = collected["older"], collected["newer"]

    assert older.changed == {"learning_rate": "0.2"}
    assert newer.changed == {"learning_rate": "0.3", "rate": "0.5"}
    assert older.figures == {
        "holdout.pauc": 0.2,
        "holdout.auc": 0.7,
        "oof.pauc": 0.2,
        "oof.auc": 0.7,
    }


def test_one_that_waits_has_no_figures_of_another_run(collected):
    assert (collected["waits"].state, collected["waits"].figures) == ("queued", {})


def test_a_fresh_clone_has_its_commit_and_no_experiment(repository, tmp_path, monkeypatch, capsys):
    cloned = subprocess.run(["git", "clone", "-q", repository, tmp_path / "clone"])
    monkeypatch.chdir(tmp_path / "clone")

    assert cloned.returncode == 0
    assert command_line.run("experiments") == 0
    shown = capsys.readouterr().out
    assert "(HEAD)" in shown
    assert " 0.1000  0.6000" in shown
    assert shown.strip().endswith(listing.NONE)


# === README's line ===


def test_the_line_of_readme_shows_figures_in_a_fresh_clone_of_this_project(tmp_path):
    """Also where a clone has no experiment, no cache and no remote that can be reached."""
    (line,) = re.findall(r"^    (dvc exp show .*--keep.*)$", (ROOT / "README.md").read_text(), re.M)
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{ROOT}", folder], check=True)
    ran = test_stages.shell(folder, f"{line} --no-pager")
    found = json.loads((folder / "metrics/evaluation.json").read_text())

    assert ran.returncode == 0, ran.stderr
    assert max(map(len, ran.stdout.splitlines())) <= 100
    for name in ("holdout", "oof"):
        assert f"{name}.pauc" in ran.stdout
        assert f"{found[name]['pauc']:.5f}"[:6] in ran.stdout
