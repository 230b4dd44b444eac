"""evaluation.cost: a threshold by what mistakes cost, and what it finds and spares."""

import numpy as np
import pandas as pd
import pytest
from tests.evaluation.test_net_benefit import free, risky
from tests.resampling import both, written_out

from skinlesion.evaluation import cost, net_benefit

SEEDS = pytest.mark.parametrize("seed", range(5))
RATIOS = pytest.mark.parametrize("ratio", [9.0, 50.0, 999.0])


def measured(table: pd.DataFrame, ratio: float = 50.0) -> dict:
    return cost.measures(table, both(table, n=60), ratio=ratio)


def by_hand(table: pd.DataFrame, ratio: float) -> dict[str, float]:
    flagged, positive = table["probability"] >= 1 / (1 + ratio), table["target"] == 1
    missed, false = (positive & ~flagged).mean(), (~positive & flagged).mean()
    everyone, none = (~positive).mean(), ratio * positive.mean()
    return {"model": ratio * missed + false, "all": everyone, "none": none}


@SEEDS
@RATIOS
def test_costs_are_those_of_counting_mistakes(seed, ratio):
    table = risky(seed)
    found, expected = measured(table, ratio), by_hand(table, ratio)
    for name, value in expected.items():
        assert found["costs"][name]["value"] == pytest.approx(1000 * value, rel=1e-5)
    better = min(("all", "none"), key=expected.__getitem__)
    assert found["better"] == better
    saved = 1000 * (expected[better] - expected["model"])
    assert found["saving"]["value"] == pytest.approx(saved, rel=1e-5, abs=1e-5)


@SEEDS
def test_the_cost_is_the_net_benefit_at_the_threshold_read_otherwise(seed):
    """Cost = ratio x (prevalence - net benefit)."""
    table, i = risky(seed), 40
    ratio = 1 / net_benefit.THRESHOLDS[i] - 1
    points = net_benefit.measures(table, free(table))[1].loc[i]
    found, prevalence = measured(table, ratio)["costs"], table["target"].mean()
    for name, column in [("model", "net_benefit"), ("all", "examine_all")]:
        expected = 1000 * ratio * (prevalence - points[column])
        assert found[name]["value"] == pytest.approx(expected, rel=1e-5)


def test_intervals_are_percentiles_over_the_resamples_where_many_cancers_are_missed():
    table = risky(0, n=6000, prevalence=0.05)
    resamples = both(table, n=60)
    found = cost.measures(table, resamples, ratio=9.0)
    copies = [by_hand(written_out(table, resamples.free, row), 9.0) for row in range(1, 61)]
    saved = [1000 * (each[found["better"]] - each["model"]) for each in copies]
    low, high = np.quantile(saved, [0.025, 0.975])
    assert found["saving"]["low"] <= low * (1 + 1e-5)
    assert found["saving"]["high"] >= high * (1 - 1e-5)
    assert found["costs"]["none"]["low"] == pytest.approx(
        np.quantile([1000 * each["none"] for each in copies], 0.025), rel=1e-5
    )


def test_where_no_cancer_is_missed_the_saving_does_not_claim_certainty():
    table = risky(0).assign(probability=lambda t: np.where(t["target"] == 1, 0.9, 1e-5))
    found = measured(table)
    assert found["sensitivity"]["value"] == 1
    missed = found["per_1000"]["missed"]
    assert missed["value"] == 0
    assert found["costs"]["model"]["value"] == 0
    assert found["costs"]["model"]["high"] == pytest.approx(50 * missed["high"], rel=1e-4)
    assert found["saving"]["low"] < found["saving"]["value"] - 49 * missed["high"]


@SEEDS
@RATIOS
def test_who_fears_to_miss_examines_more_and_what_is_not_examined_is_spared(seed, ratio):
    table = risky(seed)
    found, bolder = measured(table, ratio), measured(table, ratio / 3)
    assert found["threshold"] == pytest.approx(1 / (1 + ratio))
    flagged, spared = found["per_1000"]["flagged"], found["spared"]
    assert flagged["value"] >= bolder["per_1000"]["flagged"]["value"]
    pairs = [("value", "value"), ("low", "high"), ("high", "low")]
    assert all(spared[one] == pytest.approx(1000 - flagged[other]) for one, other in pairs)


@SEEDS
@pytest.mark.parametrize("ratio", [9.0, 50.0])  # of 999, one cancer more or less is all
def test_of_true_risks_no_other_threshold_is_much_cheaper(seed, ratio):
    table = risky(seed, n=40_000)
    y_true, risk = table["target"].to_numpy(), table["probability"].to_numpy()
    others = [
        1000 * np.mean(np.where(risk >= t, 1 - y_true, ratio * y_true))
        for t in np.geomspace(1e-4, 0.5, 80)
    ]
    assert measured(table, ratio)["costs"]["model"]["value"] <= 1.06 * min(others)
