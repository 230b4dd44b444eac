"""preparation.clinics: each clinic is a fold, patients stay whole, and small clinics are pooled."""

import numpy as np
import pandas as pd
import pytest

from skinlesion.dataset import partition
from skinlesion.dataset.partition import HOLDOUT
from skinlesion.errors import InputError
from skinlesion.preparation import clinics, split

SETTINGS = {"min_positives": 4, "missing": "fold", "patient_of_two": "error"}
SHARES = {"Vienna": 0.4, "Basel": 0.3, "Athens": 0.15, "Oslo": 0.05, "Bern": 0.05, None: 0.05}


def params(**changes) -> partition.Params:
    """`split` by clinic; changes of `split.clinics`, too."""
    given = {"by": "clinic", "n_folds": 5, "holdout_fraction": 0.0, "train_folds": [0], "seed": 1}
    own = {k: changes.pop(k) for k in list(changes) if k in SETTINGS}
    return partition.Params(**given | changes, clinics=partition.Clinics(**SETTINGS | own))


def drawn(seed: int, *, n_patients: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    of = rng.choice(len(SHARES), n_patients, p=list(SHARES.values()))
    patient = np.repeat(np.arange(n_patients), rng.integers(1, 12, n_patients))
    return pd.DataFrame(
        {
            "isic_id": [f"ISIC_{i:06d}" for i in rng.permutation(len(patient))],
            "patient_id": [f"IP_{p:03d}" for p in patient],
            "target": (rng.random(len(patient)) < 0.08).astype(int),
            "clinic": np.array(list(SHARES), dtype=object)[of][patient],
        }
    )


def rows(*given: tuple[str, str | None, int, int], patient: str = "IP") -> pd.DataFrame:
    """Patients (name, clinic, benign, malignant lesions)."""
    found = [
        (f"{patient}_{name}", clinic, target)
        for name, clinic, *counts in given
        for target, n in enumerate(counts)
        for _ in range(n)
    ]
    table = pd.DataFrame(found, columns=["patient_id", "clinic", "target"])
    return table.assign(isic_id=[f"ISIC_{i:04d}" for i in range(len(table))])


@pytest.mark.parametrize("seed", range(30))
def test_no_patient_is_on_two_sides_whatever_the_data(seed):
    lesions = drawn(seed)
    p = params(holdout_fraction=0.2, missing=["fold", "train"][seed % 2])
    folds, names = clinics.by_clinic(lesions, p)

    assert list(folds.columns) == ["isic_id", "patient_id", "target", "fold"]
    assert folds["isic_id"].is_monotonic_increasing
    assert sorted(folds["isic_id"]) == sorted(lesions["isic_id"])
    assert folds.groupby("patient_id")["fold"].nunique().eq(1).all()
    for each in names.folds:
        members = folds[folds["fold"] == each.fold]
        assert len(members) == each.n_lesions
        assert members["target"].sum() == each.n_positives
        if each.left_out:
            assert each.n_positives >= 4
            assert members["target"].nunique() == 2


@pytest.mark.parametrize("seed", range(10))
def test_a_clinic_is_in_one_fold_only(seed):
    lesions = drawn(seed)
    folds, names = clinics.by_clinic(lesions, params())
    fold = folds.merge(lesions[["isic_id", "clinic"]]).groupby("clinic")["fold"]

    assert fold.nunique().eq(1).all()
    listed = [clinic for each in names.folds for clinic in each.clinics]
    assert sorted(listed) == sorted(lesions["clinic"].dropna().unique())


def test_the_holdout_is_that_of_patient_folds():
    lesions = drawn(0)
    folds, _ = clinics.by_clinic(lesions, params(holdout_fraction=0.3))
    others = split.by_patient(lesions, n_folds=5, holdout_fraction=0.3, seed=1)

    assert (folds["fold"] == HOLDOUT).sum() > 0
    assert (folds["fold"] == HOLDOUT).equals(others["fold"] == HOLDOUT)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_rows_is_irrelevant(seed):
    lesions = drawn(0)
    given = clinics.by_clinic(lesions, params())
    shuffled = clinics.by_clinic(lesions.sample(frac=1, random_state=seed), params())

    pd.testing.assert_frame_equal(shuffled[0], given[0])
    assert shuffled[1] == given[1]


LARGE = [("a", "Vienna", 30, 5), ("b", "Basel", 20, 5)]


def described(lesions: pd.DataFrame, **changes) -> list[tuple]:
    names = clinics.by_clinic(lesions, params(**changes))[1]
    return [(f.name, f.clinics, f.left_out, f.n_positives) for f in names.folds]


def test_small_clinics_are_pooled():
    lesions = rows(*LARGE, ("c", "Oslo", 9, 2), ("d", "Bern", 3, 2))

    assert described(lesions) == [
        ("Vienna", ["Vienna"], True, 5),
        ("Basel", ["Basel"], True, 5),
        ("pooled", ["Oslo", "Bern"], True, 4),
    ]


def test_a_pool_that_is_small_too_is_learnt_from_only():
    lesions = rows(*LARGE, ("c", "Oslo", 9, 2), ("d", "Bern", 3, 1))

    assert described(lesions)[2:] == [("learnt from only", ["Oslo", "Bern"], False, 3)]


def test_a_clinic_of_cancers_alone_is_small():
    lesions = rows(*LARGE, ("c", "Oslo", 0, 9))

    assert described(lesions)[2:] == [("learnt from only", ["Oslo"], False, 9)]


@pytest.mark.parametrize(
    ("missing", "n_positives", "expected"),
    [
        ("fold", 4, ("no value", [], True, 4)),
        ("fold", 3, ("learnt from only", [], False, 3)),
        ("train", 4, ("learnt from only", [], False, 4)),
    ],
)
def test_rows_without_a_value_are_a_fold_or_learnt_from_only(missing, n_positives, expected):
    lesions = rows(*LARGE, ("c", None, 9, n_positives))

    assert described(lesions, missing=missing)[2:] == [expected]


def test_a_clinic_may_be_called_what_a_pool_is_called():
    lesions = rows(*LARGE, ("c", "pooled", 9, 5), ("d", None, 9, 5), ("e", "no value", 9, 6))

    assert [name for name, *_ in described(lesions)] == [
        *("Vienna", "Basel", "no value", "pooled", "no value"),
    ]


def test_spellings_of_a_clinic_are_one_clinic():
    lesions = rows(*LARGE, ("c", "vienna ", 9, 1), ("d", "BASEL", 2, 1))

    assert [name for name, *_ in described(lesions)] == ["Vienna", "Basel"]


def test_a_patient_of_two_clinics_is_named():
    lesions = rows(*LARGE, ("a", "Basel", 1, 0), ("b", "Vienna", 9, 0))
    with pytest.raises(InputError, match=r"Got 2 of several: IP_a \(Basel, Vienna\); IP_b") as said:
        clinics.by_clinic(lesions, params())

    assert "-S split.clinics.patient_of_two=most" in str(said.value)


def test_a_patient_of_two_clinics_can_go_to_that_of_most_of_its_lesions():
    lesions = rows(*LARGE, ("a", "Basel", 1, 0), ("c", "Basel", 2, 0), ("c", "Vienna", 2, 0))
    folds, names = clinics.by_clinic(lesions, params(patient_of_two="most"))
    fold = folds.groupby("patient_id")["fold"].unique()

    assert [each.name for each in names.folds] == ["Vienna", "Basel"]
    assert [list(of) for of in fold] == [[0], [1], [1]]  # of equals, the first by name


def test_a_patient_with_a_value_lends_it_to_all_of_its_lesions():
    lesions = rows(*LARGE, ("a", None, 9, 4))

    assert described(lesions) == [
        ("Vienna", ["Vienna"], True, 9),
        ("Basel", ["Basel"], True, 5),
    ]


def test_one_fold_is_none_and_the_error_says_what_there_is():
    lesions = rows(LARGE[0], ("b", "Basel", 20, 3))
    with pytest.raises(InputError, match=r"must give two folds or more.*min_positives = 4") as said:
        clinics.by_clinic(lesions, params())

    assert "fold 0" in str(said.value)
    assert "learnt from only (Basel)" in str(said.value)


@pytest.mark.parametrize("column", ["isic_id", "patient_id", "target"])
def test_what_every_table_has_is_no_clinic(column):
    with pytest.raises(InputError, match="must be a column of clinics, or patient"):
        clinics.by_clinic(rows(*LARGE), params(by=column))


def test_folds_that_the_column_does_not_give_are_refused_with_those_that_it_gives():
    _, names = clinics.by_clinic(rows(*LARGE, ("c", "Oslo", 9, 2)), params())
    for train_folds in ([0, 2], [3]):  # 2 is learnt from only
        with pytest.raises(InputError, match=r"-S split.train_folds=\[0,1\]"):
            clinics.require_folds(names, train_folds)

    clinics.require_folds(names, [1])
    assert "1 more can be left out" in clinics.summary(names, [1])
    assert "more can be left out" not in clinics.summary(names, [0, 1])
