"""dataset.partition: what a fold's model may learn from, and which folds there are."""

import pandas as pd
import pytest
from pydantic import ValidationError

from skinlesion.dataset import partition
from skinlesion.errors import InputError

CLINICS = {"min_positives": 10, "missing": "fold", "patient_of_two": "error"}
PARAMS = {"by": "patient", "clinics": CLINICS, "n_folds": 4, "holdout_fraction": 0.2, "seed": 7}


@pytest.fixture
def folds() -> pd.DataFrame:
    """Each fold, and the holdout, has two lesions of each class."""
    sides = [partition.HOLDOUT, 0, 1, 2, 3]
    rows = [(fold, target) for fold in sides for target in (0, 1, 0, 1)]
    return pd.DataFrame(rows, columns=["fold", "target"])


# === training_rows ===


@pytest.mark.parametrize("fold", range(4))
def test_a_fold_learns_from_the_other_folds_and_never_from_the_holdout(folds, fold):
    rows = partition.training_rows(folds, validation_fold=fold)
    assert set(rows["fold"]) == {0, 1, 2, 3} - {fold}
    assert len(rows) == (~folds["fold"].isin([partition.HOLDOUT, fold])).sum()


@pytest.mark.parametrize("fold", [4, 99, partition.HOLDOUT, -2])
def test_a_fold_that_does_not_exist_is_refused(folds, fold):
    with pytest.raises(InputError, match=rf"fold {fold} must be one of \[0, 1, 2, 3\]\."):
        partition.training_rows(folds, validation_fold=fold)


@pytest.mark.parametrize("target", [0, 1])
def test_training_lesions_of_one_class_are_refused(folds, target):
    one = folds[(folds["fold"] == 0) | (folds["target"] == target)]
    with pytest.raises(InputError, match=r"fold 0: its training lesions must be of both classes"):
        partition.training_rows(one, validation_fold=0)


# === Params ===


@pytest.mark.parametrize("train_folds", [[0], [3, 1], [0, 1, 2, 3]])
def test_some_or_all_folds_can_be_trained(train_folds):
    assert partition.Params(**PARAMS, train_folds=train_folds).train_folds == train_folds


@pytest.mark.parametrize("train_folds", [[4], [-1], [0, 0], [0, 1, 2, 3, 4]])
def test_folds_that_do_not_exist_or_occur_twice_cannot_be_trained(train_folds):
    with pytest.raises(ValidationError, match=r"train_folds are different folds of 0\.\.3"):
        partition.Params(**PARAMS, train_folds=train_folds)


def test_how_many_folds_a_column_gives_is_not_known_from_the_params_alone():
    by_column = PARAMS | {"by": "attribution"}

    assert partition.Params(**by_column, train_folds=[0, 6]).train_folds == [0, 6]
    for wrong in ([0, 0], [-1]):
        with pytest.raises(ValidationError, match="train_folds are different folds, from 0"):
            partition.Params(**by_column, train_folds=wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"n_folds": 1}, {"holdout_fraction": 1.0}, {"holdout_fraction": -0.1}, {"seed": -1}],
)
def test_a_param_out_of_range_is_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        partition.Params(**PARAMS | {"train_folds": [0]} | wrong)
