"""evaluation.retraining: a difference over several trainings, no surer than they allow."""

import numpy as np
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


@pytest.mark.parametrize("n_folds", [2, 5, 10])
def test_the_interval_is_that_of_a_t_test_widened_by_the_overlap_of_trainings(n_folds):
    values = np.random.default_rng(0).normal(0.01, 0.01, 5)
    found = retraining.corrected(values, n_folds=n_folds, confidence=0.95)
    plain = ttest_1samp(values, 0).confidence_interval(0.95)
    wider = np.sqrt((1 / 5 + 1 / (n_folds - 1)) / (1 / 5))

    assert found["value"] == pytest.approx(values.mean())
    assert found["high"] - found["value"] == pytest.approx(wider * (plain.high - values.mean()))
    assert found["value"] - found["low"] == pytest.approx(found["high"] - found["value"])


def test_one_training_has_no_limits_and_shows_nothing():
    found = retraining.corrected(np.array([0.3]), n_folds=5, confidence=0.95)

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
