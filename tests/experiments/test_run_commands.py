"""experiments.run_commands: `skinlesion compare`; tests of `experiments` are those of listing."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests import command_line

ROOT = Path(__file__).parents[2]


@pytest.fixture
def files(tmp_path, monkeypatch) -> tuple[Path, Path]:
    """Scores by chance, and scores by the target, of the same lesions."""
    rng = np.random.default_rng(0)
    n = 200
    lesions = pd.DataFrame(
        {
            "isic_id": [f"ISIC_{i:07d}" for i in range(n)],
            "patient_id": [f"IP_{i % 40:07d}" for i in range(n)],
            "target": rng.random(n) < 0.3,
        }
    ).astype({"target": int})
    lesions.assign(score=rng.random(n)).to_csv(tmp_path / "chance.csv", index=False)
    known = lesions["target"] + 0.1 * rng.random(n)
    lesions.assign(score=known).to_csv(tmp_path / "known.csv", index=False)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "chance.csv", tmp_path / "known.csv"


def test_two_files_of_scores_are_compared_without_a_repository(files, capsys):
    assert command_line.run("compare", *files) == 0
    shown = capsys.readouterr().out

    assert "200 lesions of 40 patients" in shown
    assert shown.count(f"{files[1]} is better") == 2


def test_a_file_does_not_differ_from_itself(files, capsys):
    assert command_line.run("compare", files[1], files[1]) == 0
    assert capsys.readouterr().out.count("no difference shown") == 2


def test_files_of_several_folds_need_the_folds_of_this_folder(files, capsys, tmp_path):
    for path in files:
        table = pd.read_csv(path)
        table.assign(fold=table["patient_id"].str[-1:].astype(int) % 2).to_csv(path, index=False)
    assert command_line.run("compare", *files) == 0
    assert "no interval over trainings. data/interim/folds.csv must be" in capsys.readouterr().out

    (tmp_path / "data/interim").mkdir(parents=True)
    shutil.copy(files[0], tmp_path / "data/interim/folds.csv")
    assert command_line.run("compare", *files) == 0
    assert "2 pairs of trainings" in capsys.readouterr().out


def test_a_run_that_does_not_exist_is_one_line(files, capsys):
    assert command_line.run("compare", files[0], "no-such-run") == 1
    shown = capsys.readouterr().err

    assert shown.startswith("error: no-such-run must be a file of scores, or a revision")
    assert shown.count("\n") == 1
