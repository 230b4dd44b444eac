"""reporting.summary: what a run gave, in lines that a terminal shows."""

import json
from pathlib import Path

import pytest
from tests import report_files

from skinlesion.errors import InputError
from skinlesion.reporting import summary


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "metrics").mkdir()
    return tmp_path


def shown(folder: Path, **changes) -> str:
    (folder / "metrics/details.json").write_text(json.dumps(report_files.details(**changes)))
    return summary.text(folder)


def test_every_figure_is_shown_with_its_interval(folder):
    text = shown(folder)
    sets = report_files.details()["sets"]

    assert sets
    for found in sets.values():
        for name in ("auc", "pauc"):
            value, low, high = (found["ranking"][name][k] for k in ("value", "low", "high"))
            assert f"{value:.3f} ({low:.3f} to {high:.3f})" in text


def test_an_interval_that_is_not_defined_is_shown_as_such(folder):
    undefined = {"value": None, "low": None, "high": None}
    names = ("pauc", "auc", "average_precision", "top_k_sensitivity")

    assert "AUC   ? (? to ?)" in shown(folder, ranking=dict.fromkeys(names, undefined))


def test_the_report_is_named_if_it_is_there_and_how_to_get_it_if_not(folder):
    assert "`dvc pull` or `dvc repro`" in shown(folder)
    (folder / "metrics/report.html").touch()
    assert "browser: metrics/report.html\n" in shown(folder)


def test_what_to_try_next_comes_last_and_lines_fit_a_terminal(folder):
    lines = shown(folder).splitlines()

    assert lines.index("What to try next, after `source .venv/bin/activate`:") >= len(lines) - 6
    assert all(len(line) <= 100 for line in lines)


def test_without_a_run_the_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(InputError, match=r"metrics/details\.json must be a JSON file"):
        summary.text(tmp_path)
