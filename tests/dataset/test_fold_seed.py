"""dataset.fold_seed: the folders of models, of which none may be missing or too many."""

import pytest

from skinlesion.dataset import fold_seed
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.errors import InputError


@pytest.fixture
def make(tmp_path):
    """Make the folders of models."""

    def make(*names: str):
        for name in names:
            (tmp_path / "models" / name).mkdir(parents=True)
        return tmp_path / "models"

    return make


def test_the_first_seed_lies_where_a_single_one_does():
    assert [str(one.path) for one in fold_seed.every([1, 0], 2)] == [
        *("fold-0", "fold-0/seed-1", "fold-1", "fold-1/seed-1")
    ]
    assert [str(one) for one in fold_seed.every([3], 2)] == ["fold 3", "fold 3, seed 1"]


def test_models_are_found_by_number_whatever_else_is_there(make):
    folder = make("fold-10", "fold-2/seed-10", "fold-2/seed-2", "fold-0-old", "seed-1", "fold-01")
    (folder / "fold-3").write_text("a note")

    assert fold_seed.found(folder) == [(2, 0), (2, 2), (2, 10), (10, 0)]
    fold_seed.require(folder, [FoldSeed(10), *(FoldSeed(2, s) for s in (0, 2, 10))])


@pytest.mark.parametrize("present", ["fold-0", "fold-2"])
def test_an_absent_fold_is_an_error_that_names_it(make, present):
    absent = "fold-2" if present == "fold-0" else "fold-0"
    with pytest.raises(InputError, match=rf"models/{absent} must be a model\. There is none"):
        fold_seed.require(make(present), fold_seed.every([0, 2], 1))


def test_an_absent_seed_is_an_error_that_names_it(make):
    folder = make("fold-0/seed-1", "fold-1/seed-2", "fold-0/seed-2")
    with pytest.raises(InputError, match=r"fold-1/seed-1 must be a model\. There is none"):
        fold_seed.require(folder, fold_seed.every([0, 1], 3))


def test_a_fold_of_an_earlier_setting_is_refused_with_the_remedy(make):
    expected = r"train_folds = \[0, 10\] only\. Got \S*fold-2, .* rm -r \S*fold-2$"
    with pytest.raises(InputError, match=expected):
        fold_seed.require(make("fold-0", "fold-2/seed-1", "fold-10"), fold_seed.every([0, 10], 1))


def test_a_seed_of_an_earlier_setting_is_refused_with_the_remedy(make):
    expected = r"fold-1 must hold the seeds of train\.n_seeds = 1 only\. .* rm -r \S*fold-1/seed-1$"
    with pytest.raises(InputError, match=expected):
        fold_seed.require(make("fold-0", "fold-1/seed-1"), fold_seed.every([0, 1], 1))


def test_a_folder_without_models_is_an_error(make):
    with pytest.raises(InputError, match=r"models must hold folders fold-K\. It holds none"):
        fold_seed.require(make("fold-0-old"), fold_seed.every([0], 1))
