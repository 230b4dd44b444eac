"""evaluation.net_benefit: against examining all and none, with a band over patients."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from tests.resampling import params, written_out

from skinlesion.evaluation import bootstrap, net_benefit
from skinlesion.evaluation.net_benefit import THRESHOLDS

SEEDS = pytest.mark.parametrize("seed", range(5))


def risky(seed: int, n: int = 3000, prevalence: float = 0.02) -> pd.DataFrame:
    """Probabilities that are true: a lesion of probability p is malignant with probability p."""
    rng = np.random.default_rng(seed)
    probability = expit(rng.normal(np.log(prevalence) - 1, 1.5, n))
    probability[::7] = THRESHOLDS[rng.integers(len(THRESHOLDS), size=len(probability[::7]))]
    patients = [f"IP_{i:03d}" for i in rng.integers(n // 25, size=n)]
    target = (rng.random(n) < probability).astype(int)
    return pd.DataFrame({"patient_id": patients, "target": target, "probability": probability})


def free(table: pd.DataFrame, n: int = 60) -> bootstrap.Resamples:
    return bootstrap.draw(table, params(n), stratified=False)


def by_hand(table: pd.DataFrame, threshold: float) -> tuple[float, float]:
    odds, flagged = threshold / (1 - threshold), table["probability"] >= threshold
    gained = table["target"] - (1 - table["target"]) * odds
    return (gained * flagged).sum() / len(table), gained.mean()


@SEEDS
def test_every_resample_is_what_its_lesions_written_out_give(seed):
    table = risky(seed)
    resamples = free(table, n=20)
    model, everyone = net_benefit.resampled(table, resamples)
    for row in range(21):
        copies = written_out(table, resamples, row)
        for i in (0, 17, 40, 60):
            expected = by_hand(copies, THRESHOLDS[i])
            assert (model[i, row], everyone[i, row]) == pytest.approx(expected, abs=1e-12)


def test_a_lesion_at_the_threshold_is_examined():
    table = pd.DataFrame({"patient_id": list("abcd"), "target": [1, 0, 0, 0]})
    at = table.assign(probability=[THRESHOLDS[30], 0.0, 0.0, 0.0])
    below = table.assign(probability=[np.nextafter(THRESHOLDS[30], 0), 0.0, 0.0, 0.0])
    points, lower = (net_benefit.measures(t, free(table))[1]["net_benefit"] for t in (at, below))
    assert (points[30], points[31]) == (0.25, 0)
    assert (lower[29], lower[30]) == (0.25, 0)


@SEEDS
def test_the_band_holds_the_curve_and_examining_none_has_no_benefit(seed):
    details, points = net_benefit.measures(risky(seed), free(risky(seed)))
    assert list(points.columns) == net_benefit.COLUMNS
    assert points["low"].le(points["net_benefit"]).all()
    assert points["net_benefit"].le(points["high"]).all()
    assert points["examine_none"].eq(0).all()
    assert (details["lowest"], details["highest"]) == pytest.approx((1e-4, 0.1))


@SEEDS
def test_where_nothing_lies_below_a_threshold_all_are_examined(seed):
    table = risky(seed)
    points = net_benefit.measures(table, free(table))[1]
    lowest = points["threshold"] <= table["probability"].min()
    assert points["net_benefit"][lowest].equals(points["examine_all"][lowest])
    assert points["examine_all"].is_monotonic_decreasing


def test_true_risks_are_ahead_of_all_and_none_and_noise_is_not():
    table = risky(1, n=20_000)
    found = net_benefit.measures(table, free(table))[0]["better"]
    assert found[0] < table["target"].mean() < found[1]
    points = net_benefit.measures(table, free(table))[1].set_index("threshold")
    inside = points[(points.index > found[0]) & (points.index < found[1])]
    assert (inside["net_benefit"] > inside[["examine_all", "examine_none"]].max(axis=1)).all()
    noise = table.assign(probability=table["probability"].sample(frac=1, random_state=1).to_numpy())
    assert net_benefit.measures(noise, free(table))[0]["better"] is None


@pytest.mark.parametrize(
    ("holds", "expected"),
    [("0110111", (4, 6)), ("1101100", (0, 1)), ("0001", (3, 3)), ("000", None), ("11", (0, 1))],
)
def test_the_longest_row_of_thresholds_is_named_and_of_two_the_lower(holds, expected):
    found = net_benefit._longest(np.array([h == "1" for h in holds]))
    wanted = None if expected is None else [THRESHOLDS[i] for i in expected]
    assert found == (None if wanted is None else pytest.approx(wanted, rel=1e-5))


@SEEDS
def test_the_order_of_the_lesions_does_not_matter(seed):
    table = risky(seed)
    details, points = net_benefit.measures(table, free(table))
    again = net_benefit.measures(table.sample(frac=1, random_state=seed), free(table))
    assert again[0] == details
    pd.testing.assert_frame_equal(again[1], points)
