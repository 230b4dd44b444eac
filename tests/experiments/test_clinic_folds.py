"""experiments.clinic_folds: the arguments of `dvc exp run` that leave each clinic out in turn."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from tests.preparation.test_clinics import LARGE, rows
from tests.test_pipeline import ROOT

from skinlesion.errors import InputError
from skinlesion.evaluation import runs
from skinlesion.experiments import clinic_folds

COMMIT = "0123456789abcdef0123456789abcdef01234567"
RAW = ["data.raw=mine", "split.holdout_fraction=0.0", "split.clinics.min_positives=4"]


@pytest.fixture
def lesions(tmp_path, monkeypatch) -> pd.DataFrame:
    """A table of two clinics and a small one, in a folder with the project's params.yaml."""
    table = rows(*LARGE, ("c", "Oslo", 9, 2), ("d", "Vienna", 4, 1))
    (tmp_path / "mine").mkdir()
    table.to_csv(tmp_path / "mine/train-metadata.csv", index=False)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return table


def test_the_arguments_name_every_fold_that_can_be_left_out(lesions):
    before = Path("params.yaml").read_bytes()
    found = clinic_folds.find("clinic", RAW)

    expected = [*RAW, "split.by=clinic", "split.train_folds=[0,1]"]
    assert clinic_folds.arguments(found, against=None).split("-S ")[1:] == [
        *(f"{setting} " for setting in expected[:-1]),
        expected[-1],
    ]
    assert Path("params.yaml").read_bytes() == before


def test_the_folds_are_those_of_the_settings(lesions):
    found = clinic_folds.find("clinic", [*RAW, "split.clinics.min_positives=2"])
    assert [each.name for each in found.names.folds] == ["Vienna", "Basel", "Oslo"]

    excluded = lesions.loc[lesions["clinic"] == "Basel", "isic_id"].tolist()
    settings = [*RAW, "split.clinics.min_positives=2", f"data.exclude=[{','.join(excluded)}]"]
    found = clinic_folds.find("clinic", settings)
    assert [each.name for each in found.names.folds] == ["Vienna", "Oslo"]


def scored(lesions: pd.DataFrame, n_folds: int = 2) -> pd.DataFrame:
    return lesions.assign(score=0.5, fold=lesions["patient_id"].rank(method="dense") % n_folds)


def test_the_run_to_compare_with_is_written_as_its_commit(lesions, monkeypatch):
    asked = []
    monkeypatch.setattr(clinic_folds, "_commit", lambda run: COMMIT)
    monkeypatch.setattr(runs, "read", lambda *given: asked.append(given) or scored(lesions))
    said = clinic_folds.arguments(clinic_folds.find("clinic", RAW), against="patients")

    assert said.endswith(f" -S evaluate.patient_folds={COMMIT}")
    assert asked == [(COMMIT, Path("calibrated/oof.csv"))]


@pytest.mark.parametrize("spoil", [lambda t: t[:-3], lambda t: t.assign(fold=0)])
def test_a_run_that_cannot_be_compared_is_refused_before_anything_is_trained(
    lesions, monkeypatch, spoil
):
    monkeypatch.setattr(clinic_folds, "_commit", lambda run: COMMIT)
    monkeypatch.setattr(runs, "read", lambda *given: spoil(scored(lesions)))
    found = clinic_folds.find("clinic", RAW)
    with pytest.raises(InputError, match=r"evaluate\.patient_folds"):
        clinic_folds.arguments(found, against="patients")


@pytest.mark.parametrize(
    ("column", "settings", "message"),
    [
        ("clinik", RAW, "Did you mean 'clinic'"),
        ("the clinic", RAW, "a shell would read the column's name"),
        ("clinic", [*RAW, "split.clinics.min=3"], "must be KEY=VALUE"),
        ("clinic", ["nothing"], "must be KEY=VALUE"),
        ("clinic", [*RAW, "split.seed=-1"], r"^params\.yaml: split.seed must be greater than"),
        ("clinic", ["data.raw=none"], "none/train-metadata.csv must be a metadata table"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(lesions, column, settings, message):
    with pytest.raises(InputError, match=message):
        clinic_folds.find(column, settings)


def test_a_table_that_fails_the_check_is_sent_there(lesions):
    lesions.assign(target=2).to_csv("mine/train-metadata.csv", index=False)
    with pytest.raises(InputError, match="must pass the check first: dvc repro check"):
        clinic_folds.find("clinic", RAW)


def test_without_params_the_error_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"params\.yaml must be in this folder"):
        clinic_folds.find("clinic", [])
