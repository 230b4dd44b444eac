"""evaluation.curves: tables of points, with bands over the resamples."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import average_precision_score
from tests.resampling import both

from skinlesion import metrics
from skinlesion.evaluation import curves

OTHERS = ["look_budget", "net_benefit"]  # of evaluation.usefulness
SEEDS = pytest.mark.parametrize("seed", range(5))


def scored(seed: int, n: int = 2000) -> pd.DataFrame:
    """Scores that are calibrated: a lesion of score s is malignant with probability s."""
    rng = np.random.default_rng(seed)
    score = expit(rng.normal(-2, 2, n))
    target = (rng.random(n) < score).astype(int)
    target[:2] = 0, 1
    return pd.DataFrame(
        {
            "patient_id": [f"IP_{i:03d}" for i in rng.integers(n // 20, size=n)],
            "target": target,
            "score": score,
            "probability": score,
        }
    )


def drawn(table: pd.DataFrame, *, n_points: int = 50, n_bins: int = 10) -> dict:
    return curves.draw(table, both(table, n=40), n_bins=n_bins, n_points=n_points)


@SEEDS
@pytest.mark.parametrize("n", [10, 50, 500])
def test_each_curve_has_its_columns_and_no_more_points_than_asked(seed, n):
    found = drawn(scored(seed), n_points=n)
    assert [*found, *OTHERS] == list(curves.CURVES)
    for name, table in found.items():
        assert list(table.columns) == curves.CURVES[name]
        assert 2 <= len(table) <= max(n, 20)
        assert np.isfinite(table.to_numpy(float)).all()


def test_a_long_curve_is_thinned_to_exactly_the_number_asked_for():
    assert len(drawn(scored(0), n_points=50)["roc"]) == 50


@SEEDS
@pytest.mark.parametrize("n", [10, 10_000])
def test_the_roc_curve_climbs_from_0_0_to_1_1(seed, n):
    roc = drawn(scored(seed), n_points=n)["roc"]
    assert roc[["fpr", "tpr"]].iloc[0].tolist() == [0, 0]
    assert roc[["fpr", "tpr"]].iloc[-1].tolist() == [1, 1]
    assert roc["fpr"].is_monotonic_increasing
    assert roc["tpr"].is_monotonic_increasing


@SEEDS
def test_a_roc_curve_that_is_not_thinned_encloses_the_auc(seed):
    table = scored(seed)
    roc = drawn(table, n_points=10_000)["roc"]
    area = np.trapezoid(roc["tpr"], roc["fpr"])
    assert area == pytest.approx(metrics.auc(table["target"], table["score"]), abs=1e-12)


@SEEDS
def test_precision_at_each_positive_averages_to_the_average_precision(seed):
    table = scored(seed)
    curve = drawn(table, n_points=10_000)["precision_recall"]
    assert curve["recall"].is_monotonic_increasing
    assert curve["recall"].iloc[[0, -1]].tolist() == [0, 1]
    expected = average_precision_score(table["target"], table["score"])
    assert curve["precision"][1:].mean() == pytest.approx(expected, abs=1e-12)


@SEEDS
def test_the_band_holds_the_curve_almost_everywhere(seed):
    found = drawn(scored(seed))
    roc = found["roc"].groupby("fpr").last()  # where it is vertical the band is of its upper end
    for table, value in ((roc, "tpr"), (found["precision_recall"][1:], "precision")):
        inside = (table["low"] <= table[value]) & (table[value] <= table["high"])
        assert inside.mean() > 0.9
        assert (table["high"] - table["low"]).max() > 0.02


@SEEDS
def test_the_curve_before_calibration_is_of_the_scores(seed):
    table = scored(seed)
    found = drawn(table.assign(probability=table["score"] / 3))
    pd.testing.assert_frame_equal(found["calibration_before"], drawn(table)["calibration"])
    means = found["calibration"]["mean_score"], found["calibration_before"]["mean_score"]
    np.testing.assert_allclose(means[0], means[1] / 3)


@SEEDS
def test_the_shares_of_positives_and_of_negatives_add_up_to_1(seed):
    bins = drawn(scored(seed))["scores"]
    assert bins["score"].is_monotonic_increasing
    assert bins["positives"].sum() == pytest.approx(1)
    assert bins["negatives"].sum() == pytest.approx(1)
    middle = (bins["score"] * (bins["positives"] - bins["negatives"])).sum()
    assert middle > 0  # positives score higher


def test_the_histogram_is_over_powers_of_ten():
    table = pd.DataFrame({"target": [0, 0, 1], "score": [1e-6, 3e-4, 1e-2]})
    table = table.assign(patient_id=["a", "b", "c"], probability=table["score"])
    bins = drawn(table, n_bins=2)["scores"]
    assert bins["score"].between(-6, -2).all()
    assert bins["negatives"].tolist() == [0.5, 0, 0.5, 0]
    assert bins["positives"].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("score", [[0.0, 0.0, 0.5, 1.0], [0.25] * 4], ids=["ends", "equal"])
def test_scores_of_0_and_scores_that_are_all_equal_have_curves(score):
    table = pd.DataFrame({"target": [0, 1, 0, 1], "score": score, "patient_id": list("abcd")})
    found = drawn(table.assign(probability=table["score"]))
    assert found["scores"][["positives", "negatives"]].sum().tolist() == [1, 1]
    assert np.isfinite(found["calibration"][["mean_score", "prevalence"]].to_numpy()).all()


@SEEDS
def test_the_order_of_the_lesions_does_not_matter(seed):
    table = scored(seed)
    again = drawn(table.sample(frac=1, random_state=seed))
    for name, curve in drawn(table).items():
        pd.testing.assert_frame_equal(again[name], curve)


def test_without_lesions_the_curves_are_empty_tables_with_their_columns():
    found = curves.empty()
    assert list(found) == list(curves.CURVES)
    for name, table in found.items():
        assert table.empty
        assert list(table.columns) == curves.CURVES[name]
