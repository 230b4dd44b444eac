"""skinlesion.evaluation: the measures and curves of a set of scores, whole or empty."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from skinlesion import evaluation, metrics

PARAMS = {"min_tpr": 0.8, "n_bins": 10, "n_curve_points": 50}
CURVES = ["roc", "precision_recall", "calibration", "scores"]
SEEDS = pytest.mark.parametrize("seed", range(5))


def params(**changes) -> evaluation.Params:
    return evaluation.Params(**PARAMS | changes)


def scored(seed: int, n: int = 2000) -> pd.DataFrame:
    """Scores that are calibrated: a lesion of score s is malignant with probability s."""
    rng = np.random.default_rng(seed)
    score = 1 / (1 + np.exp(-rng.normal(-2, 2, n)))
    target = (rng.random(n) < score).astype(int)
    target[:2] = 0, 1
    return pd.DataFrame({"isic_id": np.arange(n).astype(str), "target": target, "score": score})


# === Measures ===


@SEEDS
def test_the_measures_are_those_of_metrics(seed):
    table = scored(seed)
    y_true, y_score = table["target"], table["score"]
    assert evaluation.measures(table, params(min_tpr=0.5)) == {
        "pauc": metrics.partial_auc(y_true, y_score, min_tpr=0.5),
        "auc": metrics.auc(y_true, y_score),
        "average_precision": metrics.average_precision(y_true, y_score),
        "sensitivity_at_95_specificity": metrics.sensitivity_at_specificity(
            y_true, y_score, specificity=0.95
        ),
        "n_lesions": 2000,
        "n_positives": y_true.sum(),
    }


def test_the_measures_are_plain_numbers():
    found = evaluation.measures(scored(0), params())
    assert {type(value) for value in found.values()} == {int, float}


# === Curves ===


@SEEDS
def test_there_are_four_curves_with_their_columns_and_no_more_points_than_asked(seed):
    for n in (10, 50, 500):
        found = evaluation.curves(scored(seed), params(n_curve_points=n))
        assert list(found) == CURVES
        for name, table in found.items():
            assert list(table.columns) == evaluation.CURVES[name]
            assert 2 <= len(table) <= n
            assert np.isfinite(table.to_numpy(float)).all()


def test_a_long_curve_is_thinned_to_exactly_the_number_asked_for():
    assert len(evaluation.curves(scored(0), params(n_curve_points=50))["roc"]) == 50


@SEEDS
@pytest.mark.parametrize("n", [10, 10_000])
def test_the_roc_curve_climbs_from_0_0_to_1_1(seed, n):
    roc = evaluation.curves(scored(seed), params(n_curve_points=n))["roc"]
    assert roc.iloc[0].tolist() == [0, 0]
    assert roc.iloc[-1].tolist() == [1, 1]
    assert roc["fpr"].is_monotonic_increasing
    assert roc["tpr"].is_monotonic_increasing


@SEEDS
def test_a_roc_curve_that_is_not_thinned_encloses_the_auc(seed):
    table = scored(seed)
    roc = evaluation.curves(table, params(n_curve_points=10_000))["roc"]
    area = np.trapezoid(roc["tpr"], roc["fpr"])
    assert area == pytest.approx(metrics.auc(table["target"], table["score"]), abs=1e-12)


@SEEDS
@pytest.mark.parametrize("n", [10, 10_000])
def test_precision_ends_at_the_prevalence_where_recall_is_1(seed, n):
    table = scored(seed)
    curve = evaluation.curves(table, params(n_curve_points=n))["precision_recall"]
    assert curve["recall"].is_monotonic_increasing
    assert curve["recall"].iloc[[0, -1]].tolist() == [0, 1]
    assert curve["precision"].between(0, 1).all()
    assert curve["precision"].iloc[-1] == pytest.approx(table["target"].mean())


@SEEDS
def test_calibrated_scores_lie_on_the_diagonal_bin_by_bin(seed):
    table = scored(seed, n=20_000)
    curve = evaluation.curves(table, params())["calibration"]
    assert len(curve) == 10
    assert curve["mean_score"].is_monotonic_increasing
    np.testing.assert_allclose(curve["prevalence"], curve["mean_score"], atol=0.05)
    # Bins of equally many lesions: the means of the bins have the mean of all.
    assert curve["prevalence"].mean() == pytest.approx(table["target"].mean(), abs=1e-3)
    assert curve["mean_score"].mean() == pytest.approx(table["score"].mean(), abs=1e-3)


@SEEDS
def test_the_shares_of_positives_and_of_negatives_add_up_to_1(seed):
    bins = evaluation.curves(scored(seed), params())["scores"]
    assert bins["score"].is_monotonic_increasing
    assert bins["positives"].sum() == pytest.approx(1)
    assert bins["negatives"].sum() == pytest.approx(1)
    middle = (bins["score"] * (bins["positives"] - bins["negatives"])).sum()
    assert middle > 0  # positives score higher


def test_the_histogram_is_over_powers_of_ten():
    table = pd.DataFrame({"target": [0, 0, 1], "score": [1e-6, 3e-4, 1e-2]})
    bins = evaluation.curves(table, params(n_bins=2))["scores"]
    assert bins["score"].between(-6, -2).all()
    assert bins["negatives"].tolist() == [0.5, 0, 0.5, 0]
    assert bins["positives"].tolist() == [0, 0, 0, 1]


def test_scores_of_0_and_scores_that_are_all_equal_have_curves():
    for score in ([0.0, 0.0, 0.5, 1.0], [0.25] * 4):
        table = pd.DataFrame({"target": [0, 1, 0, 1], "score": score})
        found = evaluation.curves(table, params())
        assert found["scores"][["positives", "negatives"]].sum().tolist() == [1, 1]
        assert np.isfinite(found["calibration"].to_numpy()).all()


@SEEDS
def test_the_order_of_the_lesions_does_not_matter(seed):
    table = scored(seed)
    shuffled = table.sample(frac=1, random_state=seed)
    again = evaluation.curves(shuffled, params())
    for name, curve in evaluation.curves(table, params()).items():
        pd.testing.assert_frame_equal(again[name], curve)
    found = evaluation.measures(shuffled, params())
    assert found == pytest.approx(evaluation.measures(table, params()), abs=1e-12)


def test_without_lesions_the_curves_are_empty_tables_with_their_columns():
    found = evaluation.curves(pd.DataFrame(columns=["isic_id", "target", "score"]), params())
    assert list(found) == CURVES
    for name, table in found.items():
        assert table.empty
        assert list(table.columns) == evaluation.CURVES[name]


# === Summary and params ===


def test_the_summary_has_a_line_for_each_set():
    found = evaluation.measures(scored(0), params())
    said = evaluation.summary({"holdout": found, "oof": found})
    first, second = said.splitlines()
    assert first.split()[0] == "holdout"
    assert second.split()[0] == "oof"
    for line in (first, second):
        assert f"pAUC {found['pauc']:.4f}" in line
        assert f"2,000 lesions, {found['n_positives']:,} positives" in line


def test_the_summary_says_when_there_is_no_holdout():
    said = evaluation.summary({"oof": evaluation.measures(scored(0), params())})
    assert said.splitlines()[-1].startswith("no holdout: out-of-fold scores only")


@pytest.mark.parametrize("wrong", [{"min_tpr": 1.0}, {"n_bins": 1}, {"n_curve_points": 9}], ids=str)
def test_a_param_out_of_range_is_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        params(**wrong)
