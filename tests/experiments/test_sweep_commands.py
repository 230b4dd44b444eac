"""experiments.sweep_commands: what `skinlesion sweep` prints; test_queueing runs it with DVC."""

import pytest
from tests import command_line, sweeps

from skinlesion.experiments import sweep, sweep_commands


@pytest.fixture(autouse=True)
def results(monkeypatch) -> list[tuple]:
    """Take the place of DVC's answer; say with what it was asked for."""
    asked = []
    rows = [sweeps.row("a", 0.13), sweeps.row("b", 0.15, augment__cutout__rate=0.5)]
    rows.append(sweeps.row("c", None, state="Queued"))

    def answer(metric: str, match: str, rev: str | None) -> sweep.Results:
        asked.append((metric, match, rev))
        return sweep.read(rows, sweeps.KNOWN, metric=metric, match=match)

    monkeypatch.setattr(sweep_commands, "_results", answer)
    return asked


def test_the_table_ends_with_the_best_and_what_is_not_finished(capsys):
    assert command_line.run("sweep", "table") == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "best by oof.pauc: b",
        "without oof.pauc: 1 queued",
    ]


def test_metric_pattern_and_commit_are_those_that_were_given(results, capsys):
    command_line.run("sweep", "table")
    command_line.run("sweep", "table", "--metric", "oof.pauc", "--match", "[ab]", "--rev", "main")

    assert results == [("oof.pauc", "*", None), ("oof.pauc", "[ab]", "main")]


def test_the_picture_is_a_png_whatever_its_file_is_called(tmp_path, capsys):
    assert command_line.run("sweep", "plot", tmp_path / "sweep") == 0
    assert (tmp_path / "sweep").read_bytes().startswith(b"\x89PNG")
    assert capsys.readouterr().out.endswith("sweep: 2 experiments, by cutout.rate\n")


def test_a_picture_that_cannot_be_written_is_one_line(tmp_path, capsys):
    (tmp_path / "file").touch()

    assert command_line.run("sweep", "plot", tmp_path / "file" / "below.png") == 1
    shown = capsys.readouterr().err
    assert shown.startswith("error: ")
    assert "below.png: Not a directory" in shown
    assert shown.count("\n") == 1
