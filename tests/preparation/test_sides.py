"""preparation.sides: `split.by` decides how lesions are divided."""

import pandas as pd
import pytest
from tests.preparation.test_clinics import drawn, params

from skinlesion.dataset.partition import PATIENT
from skinlesion.errors import InputError
from skinlesion.preparation import sides, split


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "train-metadata.csv"
    drawn(0).to_csv(path, index=False)
    return path


def test_by_patient_is_the_split_of_patients_and_reads_no_table(tmp_path):
    lesions, p = drawn(0), params(by=PATIENT, holdout_fraction=0.2)
    folds, names = sides.divide(lesions, p, tmp_path / "none.csv")

    expected = split.by_patient(lesions, n_folds=5, holdout_fraction=0.2, seed=1)
    pd.testing.assert_frame_equal(folds, expected)
    assert names.folds == []
    assert sides.summary(folds, names, p) == split.summary(folds)


def test_by_a_column_takes_it_from_the_table(table):
    lesions, p = drawn(0).drop(columns="clinic"), params(holdout_fraction=0.2)
    folds, names = sides.divide(lesions, p, table)
    said = sides.summary(folds, names, p).splitlines()

    assert said[0].startswith("holdout")
    assert len(said) == 1 + len(names.folds) + 1
    assert "Vienna" in said[1]
    assert "-S split.train_folds=[0,1,2" in said[-1]


def test_lesions_left_out_by_data_exclude_are_of_no_fold(table):
    lesions = drawn(0).drop(columns="clinic")[5:]
    folds, _ = sides.divide(lesions, params(), table)

    assert sorted(folds["isic_id"]) == sorted(lesions["isic_id"])


def test_a_column_that_the_table_lacks_is_named(table):
    with pytest.raises(InputError, match=r"must have a column 'clinics'. Did you mean 'clinic'"):
        sides.divide(drawn(0), params(by="clinics"), table)


def test_a_fold_that_is_trained_must_be_one_of_the_column(table):
    with pytest.raises(InputError, match=r"split.train_folds must be folds that split.by = clinic"):
        sides.divide(drawn(0).drop(columns="clinic"), params(train_folds=[0, 17]), table)
