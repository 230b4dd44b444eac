"""preparation.split: the promises that keep a patient on one side only."""

import numpy as np
import pandas as pd
import pytest

from skinlesion.dataset import partition
from skinlesion.errors import InputError
from skinlesion.preparation import split

PARAMS = {"n_folds": 4, "holdout_fraction": 0.2, "seed": 7}


def drawn(seed: int, *, n_patients: int = 60, n_malignant: int = 24) -> pd.DataFrame:
    """Lesions of patients who have 1 to 30 each; the first patients have a malignancy."""
    rng = np.random.default_rng(seed)
    n_lesions = rng.integers(1, 31, n_patients)
    patient = np.repeat(np.arange(n_patients), n_lesions)
    first = np.flatnonzero(np.diff(patient, prepend=-1))
    target = (rng.random(len(patient)) < 0.02) & (patient < n_malignant)
    target[first[:n_malignant]] = True
    return pd.DataFrame(
        {
            "isic_id": [f"ISIC_{i:06d}" for i in rng.permutation(len(patient))],
            "patient_id": [f"IP_{p:03d}" for p in patient],
            "target": target.astype(int),
            "age_approx": 40.0,
        }
    )


@pytest.fixture(scope="module")
def lesions():
    return drawn(0)


@pytest.fixture(scope="module")
def folds(lesions):
    return split.by_patient(lesions, **PARAMS)


# === by_patient ===


def test_every_lesion_is_on_one_side_with_its_own_patient_and_target(lesions, folds):
    assert list(folds.columns) == ["isic_id", "patient_id", "target", "fold"]
    assert folds["isic_id"].is_monotonic_increasing
    assert set(folds["fold"]) == {partition.HOLDOUT, 0, 1, 2, 3}
    expected = lesions.sort_values("isic_id", ignore_index=True).drop(columns="age_approx")
    pd.testing.assert_frame_equal(folds.drop(columns="fold"), expected)


def test_no_patient_is_on_two_sides(folds):
    assert folds.groupby("patient_id")["fold"].nunique().eq(1).all()


@pytest.mark.parametrize("seed", range(40))
def test_no_patient_is_on_two_sides_whatever_the_data(seed):
    rng = np.random.default_rng(seed)
    n_folds = int(rng.integers(2, 7))
    fraction = rng.choice([0, 0.1, 0.3, 0.5])
    lesions = drawn(
        seed, n_patients=int(rng.integers(40, 90)), n_malignant=int(rng.integers(6, 40))
    )
    folds = split.by_patient(
        lesions, n_folds=n_folds, holdout_fraction=fraction, seed=int(rng.integers(99))
    )
    assert folds.groupby("patient_id")["fold"].nunique().eq(1).all()
    assert set(folds["fold"]) == {*range(n_folds), *([partition.HOLDOUT] if fraction else [])}
    assert folds.groupby("fold")["target"].nunique().eq(2).all()
    assert sorted(folds["isic_id"]) == sorted(lesions["isic_id"])


@pytest.mark.parametrize("shuffle_seed", range(5))
def test_the_order_of_the_rows_and_their_labels_are_irrelevant(lesions, folds, shuffle_seed):
    shuffled = lesions.sample(frac=1, random_state=shuffle_seed)
    pd.testing.assert_frame_equal(split.by_patient(shuffled, **PARAMS), folds)


def test_the_same_seed_gives_the_same_split(lesions, folds):
    pd.testing.assert_frame_equal(split.by_patient(lesions, **PARAMS), folds)


def test_another_seed_gives_another_holdout_and_other_folds(lesions, folds):
    again = split.by_patient(lesions, **PARAMS | {"seed": 8})
    for side in (partition.HOLDOUT, 0):
        assert set(again[again["fold"] == side]["patient_id"]) != set(
            folds[folds["fold"] == side]["patient_id"]
        )


def test_another_seed_gives_other_folds_without_a_holdout_too(lesions):
    first, second = (
        split.by_patient(lesions, n_folds=4, holdout_fraction=0, seed=seed) for seed in (0, 1)
    )
    together = pd.crosstab(first["fold"], second["fold"])
    assert (together > 0).sum().max() > 1  # not the same folds by other numbers


def test_the_number_of_folds_does_not_change_the_holdout(lesions, folds):
    again = split.by_patient(lesions, **PARAMS | {"n_folds": 2})
    assert (again["fold"].eq(partition.HOLDOUT) == folds["fold"].eq(partition.HOLDOUT)).all()


def test_the_lesions_passed_in_are_left_as_they_were(lesions):
    before = lesions.copy()
    split.by_patient(lesions, **PARAMS)
    pd.testing.assert_frame_equal(lesions, before)


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5])
def test_the_holdout_is_that_share_of_the_patients_with_and_without_a_malignancy(fraction):
    folds = split.by_patient(drawn(3), n_folds=3, holdout_fraction=fraction, seed=0)
    patients = folds.groupby("patient_id").agg({"target": "max", "fold": "first"})
    for target, n_patients in ((1, 24), (0, 36)):
        held = patients[patients["target"] == target]["fold"].eq(partition.HOLDOUT)
        assert held.sum() == round(n_patients * fraction)


def test_a_share_of_0_makes_no_holdout(lesions):
    folds = split.by_patient(lesions, **PARAMS | {"holdout_fraction": 0})
    assert set(folds["fold"]) == {0, 1, 2, 3}


def test_positives_are_shared_out_about_evenly():
    lesions = drawn(5, n_patients=400, n_malignant=120)
    folds = split.by_patient(lesions, n_folds=5, holdout_fraction=0.3, seed=1)
    n_positives = folds[folds["fold"] >= 0].groupby("fold")["target"].sum()
    assert n_positives.max() <= 1.3 * n_positives.min()


def test_more_folds_than_patients_with_a_malignancy_are_refused(lesions):
    few = lesions[(lesions["target"] == 0) | (lesions["patient_id"] < "IP_003")]
    with pytest.raises(
        InputError, match=r"split\.n_folds must be at most .* malignancy .* is 3\. Got 4 instead"
    ):
        split.by_patient(few, n_folds=4, holdout_fraction=0, seed=0)


def test_patients_of_the_holdout_do_not_count_for_the_folds():
    lesions = drawn(0, n_malignant=6)
    split.by_patient(lesions, n_folds=6, holdout_fraction=0, seed=0)
    with pytest.raises(InputError, match=r"outside the holdout, which is 3\. Got 6 instead"):
        split.by_patient(lesions, n_folds=6, holdout_fraction=0.5, seed=0)


def test_a_holdout_of_one_class_is_refused():
    with pytest.raises(
        InputError,
        match=r"split: the holdout must have lesions of both classes\. Got targets \[0\]",
    ):
        split.by_patient(drawn(0, n_malignant=4), n_folds=2, holdout_fraction=0.1, seed=0)


def test_a_fold_of_one_class_is_refused():
    lesions = pd.DataFrame(
        {
            "isic_id": [f"ISIC_{i}" for i in range(10)],
            "patient_id": ["IP_a"] * 5 + ["IP_b"] * 5,
            "target": [1] * 5 + [0, 0, 0, 1, 1],
        }
    )
    with pytest.raises(
        InputError, match=r"split: fold \d must have .* both classes\. Got targets \[1\]"
    ):
        split.by_patient(lesions, n_folds=2, holdout_fraction=0, seed=0)


# === summary ===


def test_the_summary_counts_each_side(folds):
    lines = split.summary(folds).splitlines()
    assert [line.split("  ")[0].strip() for line in lines] == [
        "holdout",
        *(f"fold {k}" for k in range(4)),
    ]
    for side, line in zip([partition.HOLDOUT, 0, 1, 2, 3], lines, strict=True):
        on_side = folds[folds["fold"] == side]
        numbers = [int(word) for word in line.replace(f"fold {side}", "").split() if word.isdigit()]
        expected = [on_side["patient_id"].nunique(), len(on_side), on_side["target"].sum()]
        assert numbers == expected
