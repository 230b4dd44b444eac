"""dataset.fold_names: folds.json, which says what each fold stands for."""

import pytest

from skinlesion.dataset import fold_names
from skinlesion.errors import InputError

COUNTS = {"n_lesions": 5, "n_patients": 3, "n_positives": 1}
NAMES = fold_names.FoldNames(
    by="attribution",
    folds=[
        fold_names.Fold(
            fold=0, name="Hospital Cl\u00ednic", clinics=["a"], left_out=True, **COUNTS
        ),
        fold_names.Fold(fold=1, name="spare", clinics=[], left_out=False, **COUNTS),
    ],
)


def test_it_is_read_as_it_was_written(tmp_path):
    fold_names.save(tmp_path / "folds.json", NAMES)

    assert fold_names.load(tmp_path / "folds.json") == NAMES


def test_a_fold_that_is_learnt_from_only_is_never_left_out():
    assert NAMES.to_leave_out() == [0]


@pytest.mark.parametrize("text", [None, "{}", "nothing", '{"by": "x", "folds": [{}]}'])
def test_what_is_no_such_file_is_refused_by_name(tmp_path, text):
    path = tmp_path / "folds.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=r"folds\.json must be the names of folds"):
        fold_names.load(path)
