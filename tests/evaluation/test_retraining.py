"""evaluation.retraining: a difference over several trainings, no surer than they allow."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp
from tests.evaluation.test_comparison import scored
from tests.resampling import params

from skinlesion import metrics
from skinlesion.errors import InputError
from skinlesion.evaluation import retraining


def run(seed: int, *, noise: float = 0.0, n_folds: int = 3):
    """Out-of-fold scores; each third of the patients is a fold."""
    table = scored(seed, noise=noise)
    patient = table["patient_id"].str[3:].astype(int)
    return table.assign(fold=patient % n_folds)


def test_each_fold_of_each_pair_gives_a_difference():
    pairs = [(run(seed), run(seed, noise=1.0)) for seed in (0, 1)]
    found = retraining.differences(pairs, params())
    expected = [
        metrics.auc(second[second["fold"] == k]["target"], second[second["fold"] == k]["score"])
        - metrics.auc(first[first["fold"] == k]["target"], first[first["fold"] == k]["score"])
        for first, second in pairs
        for k in range(3)
    ]

    np.testing.assert_allclose(found["auc"], expected, atol=1e-12)
    assert len(found["pauc"]) == 6


def test_the_order_of_rows_and_which_is_first_only_change_the_sign():
    first, second = run(0), run(0, noise=1.0)
    one = retraining.differences([(first, second)], params())
    other = retraining.differences([(second.sample(frac=1, random_state=1), first)], params())

    for name in one:
        np.testing.assert_allclose(one[name], -other[name], atol=1e-12)


# Patients by fold: two of clinic 0, three of clinic 1, five of a clinic too small to be left out.
CLINICS = {0: 2, 1: 3, 2: 5, -1: 4}


def divided() -> pd.DataFrame:
    """A patient of fold k has k + 2 lesions."""
    patients = [(f"IP_{k}_{i}", k) for k, n in CLINICS.items() for i in range(n)]
    rows = [(f"{patient}_{i}", patient, k) for patient, k in patients for i in range(k + 2)]
    return pd.DataFrame(rows, columns=["isic_id", "patient_id", "fold"])


def test_of_clinics_of_other_sizes_the_patients_are_counted():
    folds = divided()
    tested = folds[folds["fold"].isin([0, 1])].sample(frac=1, random_state=0)

    assert retraining.tested_by_fitted(tested, folds) == pytest.approx([2 / 8, 3 / 7])


def test_a_model_tested_on_the_holdout_is_fitted_to_all_but_a_fold():
    folds = divided()
    found = retraining.tested_by_fitted(folds[folds["fold"] == -1], folds)

    assert found == pytest.approx([4 / (10 - 10 / 3)])


@pytest.mark.parametrize("spoil", [lambda t: t.assign(fold=1 - t["fold"]), lambda t: t[1:]])
def test_folds_of_another_split_are_refused(spoil):
    tested = divided().query("fold in [0, 1]")
    with pytest.raises(InputError, match=r"must be those of the runs\. Got others for IP_0_0_0"):
        retraining.tested_by_fitted(tested, spoil(divided()))


@pytest.mark.parametrize("ratio", [1.0, 0.25, 0.0])
def test_the_interval_is_that_of_a_t_test_widened_by_the_overlap_of_trainings(ratio):
    values = np.random.default_rng(0).normal(0.01, 0.01, 5)
    found = retraining.corrected(values, n_test_by_n_train=ratio, confidence=0.95)
    plain = ttest_1samp(values, 0).confidence_interval(0.95)
    wider = np.sqrt((1 / 5 + ratio) / (1 / 5))

    assert found["value"] == pytest.approx(values.mean())
    assert found["high"] - found["value"] == pytest.approx(wider * (plain.high - values.mean()))
    assert found["value"] - found["low"] == pytest.approx(found["high"] - found["value"])


def test_one_training_has_no_limits_and_shows_nothing():
    found = retraining.corrected(np.array([0.3]), n_test_by_n_train=0.25, confidence=0.95)

    assert found == {"value": pytest.approx(0.3), "low": None, "high": None}
    said = retraining.summary({"pauc": found, "auc": found}, 1, first="a", second="b")
    assert said.count("no difference shown") == 2


def test_runs_of_other_folds_are_refused():
    other = run(0).assign(fold=0)
    with pytest.raises(InputError, match="must have the same folds"):
        retraining.differences([(run(0), other)], params())


def test_a_fold_of_one_class_is_named():
    one = run(0).query("fold != 1 or target == 0")
    with pytest.raises(InputError, match="fold 1 must have lesions of both classes"):
        retraining.differences([(one, one)], params())
