"""evaluation.reliability: losses, slopes and bins, against independent ways to have them."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss
from tests.resampling import params, written_out

from skinlesion.evaluation import bootstrap, reliability

SEEDS = pytest.mark.parametrize("seed", range(4))


def lesions(seed: int, *, n: int = 4000, slope: float = 1.0, intercept: float = 0.0):
    """Risks that are true at slope 1 and intercept 0."""
    rng = np.random.default_rng(seed)
    z = rng.normal(-2, 1.5, n)
    return pd.DataFrame(
        {
            "patient_id": [f"IP_{i:03d}" for i in rng.integers(n // 20, size=n)],
            "target": (rng.random(n) < expit(slope * z + intercept)).astype(int),
            "probability": expit(z),
        }
    )


def measured(table: pd.DataFrame, n: int = 40, n_bins: int = 10) -> dict:
    return reliability.measures(table, bootstrap.draw(table, params(n)), n_bins=n_bins)


def value(found: dict, name: str) -> float:
    return found[name]["value"]


# === Losses ===


@SEEDS
def test_the_losses_are_those_of_scikit_learn(seed):
    table = lesions(seed)
    found, base = measured(table), np.full(len(table), table["target"].mean())
    for name, loss in (("log_loss", log_loss), ("brier", brier_score_loss)):
        expected, of_base = (loss(table["target"], q) for q in (table["probability"], base))
        assert value(found, name) == pytest.approx(expected, abs=1e-6)
        assert value(found, f"{name}_of_base_rate") == pytest.approx(of_base, abs=1e-6)
        assert value(found, f"{name}_skill") == pytest.approx(1 - expected / of_base, abs=1e-5)


def test_the_base_rate_itself_has_no_skill():
    table = lesions(0)
    found = measured(table.assign(probability=table["target"].mean()))
    assert value(found, "log_loss_skill") == pytest.approx(0, abs=1e-6)
    assert value(found, "brier_skill") == pytest.approx(0, abs=1e-6)
    assert value(found, "expected_calibration_error") == pytest.approx(0, abs=1e-6)
    assert value(found, "intercept") == pytest.approx(0, abs=1e-6)
    assert value(found, "slope") is None  # there is nothing to have a slope over


def test_probabilities_of_0_and_1_have_a_finite_loss():
    table = lesions(0)
    found = measured(table.assign(probability=(table["probability"] > 0.5) * 1.0))
    assert 0 < value(found, "log_loss") < 36


# === Slope and intercept ===


@SEEDS
@pytest.mark.parametrize(("slope", "intercept"), [(1, 0), (0.6, 0), (1, -0.8)])
def test_slope_and_intercept_say_how_risks_are_wrong(seed, slope, intercept):
    found = measured(lesions(seed, n=20_000, slope=slope, intercept=intercept))
    assert value(found, "slope") == pytest.approx(slope, abs=0.1)
    if slope == 1:
        assert value(found, "intercept") == pytest.approx(intercept, abs=0.1)


@SEEDS
def test_slope_and_intercept_of_a_resample_are_those_of_its_lesions_one_by_one(seed):
    table = lesions(seed)
    resamples = bootstrap.draw(table, params(30))
    found = reliability.slope_and_intercept(table, resamples)
    for row in (0, 1, 17, 30):
        again = written_out(table, resamples, row)
        z, y_true = logit(again["probability"].to_numpy()), again["target"].to_numpy()
        fitted = LogisticRegression(C=np.inf, tol=1e-8).fit(z[:, None], y_true)
        assert found["slope"][row] == pytest.approx(fitted.coef_[0, 0], abs=1e-3)
        # In the large: what brings the mean risk to the share of positives.
        assert expit(z + found["intercept"][row]).mean() == pytest.approx(y_true.mean(), abs=1e-4)
    assert found["slope"].std() > 0.02


def test_resamples_taken_in_pieces_are_the_same_to_the_bit(monkeypatch):
    table = lesions(0)
    whole = measured(table)
    monkeypatch.setattr(bootstrap, "N_CELLS", 5000)
    assert measured(table) == whole


# === Bins ===


@SEEDS
@pytest.mark.parametrize("n_bins", [5, 10])
def test_the_calibration_error_is_the_mean_distance_over_the_curves_bins(seed, n_bins):
    table = lesions(seed, slope=0.5)
    resamples = bootstrap.draw(table, params(20))
    curve = reliability.curve(table, resamples, n_bins=n_bins)
    found = reliability.measures(table, resamples, n_bins=n_bins)
    assert len(curve) == n_bins
    # Bins of equally many lesions weigh alike.
    expected = (curve["mean_score"] - curve["prevalence"]).abs().mean()
    assert value(found, "expected_calibration_error") == pytest.approx(expected, abs=1e-5)


def test_true_risks_miss_their_bins_by_as_much_as_chance_says():
    """Over many draws of the targets, the mean error is the one given for true risks."""
    table, rng = lesions(0), np.random.default_rng(0)
    errors = []
    for _ in range(60):
        drawn = table.assign(target=(rng.random(len(table)) < table["probability"]).astype(int))
        found = measured(drawn, n=20)
        errors.append(value(found, "expected_calibration_error"))
    given = value(found, "expected_calibration_error_of_true_risks")
    assert given == pytest.approx(np.mean(errors), rel=0.1)


@SEEDS
def test_true_risks_lie_within_most_of_the_curves_limits(seed):
    table = lesions(seed, n=20_000)
    curve = reliability.curve(table, bootstrap.draw(table, params(200)), n_bins=10)
    inside = (curve["low"] <= curve["mean_score"]) & (curve["mean_score"] <= curve["high"])
    assert inside.sum() >= 8
    assert curve["mean_score"].is_monotonic_increasing


def test_equal_probabilities_share_a_bin():
    table = lesions(0)
    table["probability"] = np.where(table["probability"] > 0.3, 0.6, 0.05)
    curve = reliability.curve(table, bootstrap.draw(table, params(20)), n_bins=10)
    assert curve["mean_score"].tolist() == pytest.approx([0.05, 0.6])


def test_a_bin_without_positives_has_an_upper_limit():
    table = lesions(0)
    table.loc[table["probability"] < 0.1, "target"] = 0
    first = reliability.curve(table, bootstrap.draw(table, params(20)), n_bins=10).iloc[0]
    assert first["prevalence"] == first["low"] == 0
    assert 0 < first["high"] < 0.1


@SEEDS
def test_the_order_of_the_lesions_does_not_matter(seed):
    table = lesions(seed)
    assert measured(table.sample(frac=1, random_state=seed)) == measured(table)
