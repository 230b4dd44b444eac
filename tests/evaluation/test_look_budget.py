"""evaluation.look_budget: what is found when so many lesions of each patient are looked at."""

import numpy as np
import pandas as pd
import pytest
from tests.resampling import drawn, lesions, written_out

from skinlesion.evaluation import look_budget, operating

SEEDS = pytest.mark.parametrize("seed", range(5))
N_MAX = look_budget.N_MAX


def table(seed: int, **changes) -> pd.DataFrame:
    """Patients of up to some eighty lesions."""
    return lesions(seed, **{"n": 600, "n_patients": 30} | changes)


def by_hand(own: pd.DataFrame, n: int) -> float:
    """The share of one patient's cancers among their n highest scores, ties by chance."""
    taken, chance = 0.0, 0.0
    for _, tied in sorted(own.groupby("score"), reverse=True):
        chance += tied["target"].sum() * min(1.0, max(0.0, n - taken) / len(tied))
        taken += len(tied)
    return chance / own["target"].sum()


def measured(found: pd.DataFrame, **others: pd.DataFrame) -> tuple[dict, pd.DataFrame]:
    orders = {"model": found, **others}
    return look_budget.measures(orders, drawn(found), levels=[0.5, 0.8, 0.999])


@pytest.mark.parametrize("seed", range(2))
def test_every_resample_is_what_its_lesions_written_out_give(seed):
    found = table(seed)
    resamples = drawn(found, n=20)
    budgets = [1, 2, 5, 17]
    values = look_budget.found(found, resamples, budgets=budgets)
    for row in range(0, 21, 4):
        copies = written_out(found, resamples, row)
        # Each time a patient was drawn is a patient of its own.
        copies["copy"] = copies.groupby(level=0).cumcount()
        patients = [own for _, own in copies.groupby(["patient_id", "copy"]) if own["target"].any()]
        for i, n in enumerate(budgets):
            expected = np.mean([by_hand(own, n) for own in patients])
            assert values[i, row] == pytest.approx(expected, abs=1e-12)


@SEEDS
@pytest.mark.parametrize("n", [1, 7, 15])
def test_the_curve_passes_through_the_top_k_sensitivity_and_its_limits(seed, n):
    found = table(seed)
    resamples = drawn(found)
    point = look_budget.curve(found, resamples).loc[n - 1]
    expected, n_crowded = operating.retrieval(found, resamples, k=n)
    assert (point["n"], point["sensitivity"]) == (n, expected["value"])
    assert (point["low"], point["high"]) == (expected["low"], expected["high"])
    rows = {row["n"]: row for row in measured(found)[0]["rows"]}
    assert n not in rows or rows[n]["n_crowded"] == n_crowded


@SEEDS
def test_who_looks_at_more_finds_no_less_and_in_the_end_all(seed):
    found = table(seed, n=150)
    points = look_budget.curve(found, drawn(found))
    assert points["n"].tolist() == list(range(1, N_MAX + 1))
    assert points["sensitivity"].is_monotonic_increasing
    assert found.groupby("patient_id").size().max() <= N_MAX
    assert points["sensitivity"].iloc[-1] == 1


@SEEDS
def test_the_lesions_needed_are_the_percentiles_over_the_resamples(seed):
    found = table(seed, n=4000, n_patients=300)  # so many patients that no limit is widened
    resamples = drawn(found, n=39)
    values = look_budget.found(found, resamples, budgets=range(1, N_MAX + 1))
    points = look_budget.curve(found, resamples)
    for level in (0.2, 0.35, 0.5):
        first = np.argmax(values >= level, axis=0) + 1.0
        each = np.where((values >= level).any(0), first, np.inf)
        # Of 39 resamples, 95 % lie between the first and the last but what is interpolated.
        expected = np.quantile(each[1:], [0.025, 0.975])
        needed = look_budget.needed(points, level)
        assert needed["value"] == each[0]
        assert abs(needed["low"] - expected[0]) <= 1
        assert abs(needed["high"] - expected[1]) <= 1


def test_a_level_that_is_just_reached_counts_and_one_that_is_lost_again_does_not():
    points = pd.DataFrame({"n": np.arange(1, N_MAX + 1), "sensitivity": 0.8, "low": 0.5})
    points = points.assign(high=0.9)
    points.loc[:1, ["sensitivity", "high"]] = 0.79, 0.85
    points.loc[[5, 9], "low"] = 0.8
    points.loc[0, "high"] = 0.8  # wider than the next
    points.loc[1, "high"] = 0.79
    assert look_budget.needed(points, 0.8) == {"value": 3, "low": 1, "high": None}
    points.loc[9:, "low"] = 0.8
    assert look_budget.needed(points, 0.8) == {"value": 3, "low": 1, "high": 10}


@pytest.mark.parametrize("seed", range(2))
def test_a_random_order_finds_what_shuffling_finds_on_average(seed):
    found = table(seed)
    rng, tries = np.random.default_rng(seed), []
    resamples = drawn(found, n=20)
    for _ in range(150):
        shuffled = found.assign(score=rng.random(len(found)))
        tries.append(look_budget.found(shuffled, resamples, budgets=[1, 5, 25])[:, 0])
    points = measured(found)[1].set_index("n")["random"]
    np.testing.assert_allclose(points[[1, 5, 25]], np.mean(tries, axis=0), atol=0.04)


def test_other_orders_have_their_values_and_those_that_there_are_not_are_empty():
    found, other = table(0), table(0).assign(score=lambda t: -t["score"])
    details, points = measured(found, baseline=other)
    alone = look_budget.curve(other, drawn(found))
    assert points["baseline"].tolist() == alone["sensitivity"].tolist()
    assert points["alone"].isna().all()
    assert list(points.columns) == look_budget.COLUMNS
    row = details["rows"][2]
    assert row["n"] == 5
    assert row["sensitivity"]["baseline"]["low"] == alone["low"][4]
    assert all(list(level["lesions"]) == ["model", "baseline"] for level in details["needed"])


@SEEDS
def test_only_the_order_within_a_patient_counts_and_not_that_of_the_rows(seed):
    found = table(seed)
    moved = found.assign(score=found["score"] + found["patient_id"].rank(method="dense"))
    shuffled = moved.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(measured(shuffled)[1], measured(found)[1])


def test_a_patient_for_every_lesion_is_found_at_once():
    found = table(0).assign(patient_id=lambda t: t.index.astype(str))
    details, points = measured(found)
    assert (points[["sensitivity", "random"]] == 1).all(axis=None)
    assert details["rows"][0]["n_crowded"] == 0
    assert details["needed"][1]["lesions"]["model"]["value"] == 1
