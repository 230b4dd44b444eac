"""benchmarks: the harness measures what it says, and every benchmark runs at a tiny size."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import h5py
import pandas as pd
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def _path(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)


@pytest.fixture
def harness():
    return importlib.import_module("harness")


def test_sides_are_timed_in_turn_after_a_warm_up_each(harness):
    calls: list[str] = []
    found = harness.medians(
        {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, n_rounds=2
    )

    assert "".join(calls) == "ab" * 3
    assert list(found) == ["a", "b"]


MEASURED = """
import drawn, harness
_, small = harness.apart(drawn.hold_mib, 1)
held, large = harness.apart(drawn.hold_mib, 500)
print(held, small.cpu_seconds > 0, large.peak_mib - small.peak_mib)
"""


def test_a_process_of_its_own_gives_its_result_and_its_peak_memory(monkeypatch):
    """Measured from a small process, as benchmarks are: a process inherits its parent's peak."""
    monkeypatch.chdir(FOLDER)
    ran = subprocess.run([sys.executable, "-c", MEASURED], capture_output=True, text=True)
    held, used, more = ran.stdout.split()

    assert (held, used) == ("500", "True")
    assert 400 < float(more) < 600


def test_a_command_that_fails_is_an_error_that_says_what_it_said(harness):
    with pytest.raises(RuntimeError, match="no such luck"):
        harness.spent([sys.executable, "-c", "raise SystemExit('no such luck')"])


def test_a_report_keeps_what_others_reported(tmp_path, capsys):
    results = importlib.import_module("results")
    path = tmp_path / "results.json"
    results.report("one", [{"stage": "split", "seconds": 1234.5}], path=path)
    results.report("two", [{"stage": "check", "seconds": 0.01234}], path=path)

    kept = json.loads(path.read_text())
    assert kept["one"]["rows"] == [{"stage": "split", "seconds": 1234.5}]
    assert {"commit", "n_processors", "load", "python"} <= kept["two"]["machine"].keys()
    shown = capsys.readouterr().out
    assert "| split | 1,234   |" in shown
    assert "| check | 0.0123  |" in shown


def test_an_unknown_size_is_refused(harness):
    assert harness.size([]) == "usual"
    with pytest.raises(SystemExit, match="must be one of"):
        harness.size(["huge"])


@pytest.mark.parametrize("linked", [True, False])
def test_a_drawn_folder_has_a_tile_for_every_lesion(tmp_path, linked):
    drawn = importlib.import_module("drawn")
    drawn.folder(tmp_path, n_lesions=300, n_tiles=7, linked=linked)
    lesions = pd.read_csv(tmp_path / "train-metadata.csv", low_memory=False)

    with h5py.File(tmp_path / "train-image.hdf5") as file:
        assert sorted(file) == sorted(lesions["isic_id"])
        assert len({file[i][()].tobytes() for i in file}) == 7
        assert len({h5py.h5o.get_info(file[i].id).addr for i in file}) == (7 if linked else 300)
    assert lesions["target"].sum() == drawn.MIN_MALIGNANT


@pytest.fixture
def inside(harness, monkeypatch):
    """Run in this process, which has TensorFlow already, what benchmarks run apart."""
    spent = harness.Spent(0.0, 1.0, 1.0, 1.0)
    monkeypatch.setattr(harness, "apart", lambda function, *given: (function(*given), spent))


@pytest.mark.usefixtures("keras_started", "inside")
@pytest.mark.parametrize(
    "name",
    [
        *("boosting", "engines", "reading", "scoring", "stages", "starter", "startup", "training"),
        "workers",
    ],
)
def test_every_benchmark_runs_at_a_tiny_size(name, tmp_path, monkeypatch):
    benchmark = importlib.import_module(name)
    monkeypatch.setattr(
        importlib.import_module("results").report,
        "__kwdefaults__",
        {"path": tmp_path / "results.json"},
    )
    if name == "training":  # Keras has one backend in a process
        monkeypatch.setattr(benchmark, "BOTH", ("tensorflow",))
    benchmark.main("tiny")

    rows = json.loads((tmp_path / "results.json").read_text())[name]["rows"]
    numbers = [v for row in rows for v in row.values() if isinstance(v, int | float)]
    assert numbers
    assert min(numbers) > 0


@pytest.mark.usefixtures("inside")
def test_memory_is_compared_over_one_short_epoch_of_each_side(tmp_path, monkeypatch):
    starter, ran = importlib.import_module("starter"), []
    for side in starter.SIDES:
        monkeypatch.setitem(
            starter.SIDES, side, lambda *given, side=side: ran.append((side, given))
        )
    rows = starter.memory(tmp_path, 200)

    given = (tmp_path, *starter.SMALL, [starter.N_STEPS])
    assert ran == [("pipeline", given), ("starter", given)]
    assert [(row["side"], row["lesions"]) for row in rows] == [("pipeline", 200), ("starter", 200)]
    assert all("peak_mib" in row for row in rows)


def test_the_intervals_of_a_small_table_are_timed(monkeypatch, capsys):
    intervals = importlib.import_module("intervals")
    monkeypatch.setattr(intervals, "PREVALENCE", 0.05)
    few = intervals.SAMPLING.model_copy(update={"n_resamples": 20})
    monkeypatch.setattr(intervals, "SAMPLING", few)
    intervals.main(2000)

    assert "ranked once" in capsys.readouterr().out
