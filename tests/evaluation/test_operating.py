"""evaluation.operating: thresholds chosen on some patients, and what they do to others."""

import numpy as np
import pandas as pd
import pytest
from tests.resampling import both, drawn, lesions, params

from skinlesion.evaluation import bootstrap, operating

SEEDS = pytest.mark.parametrize("seed", range(6))
LEVELS = pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])


def units(seed: int, **changes) -> pd.DataFrame:
    """Scores between 0 and 1."""
    table = lesions(seed, **changes)
    return table.assign(score=table["score"].rank(method="average") / len(table))


# === Thresholds ===


@SEEDS
@LEVELS
def test_a_threshold_for_specificity_is_the_lowest_that_spares_enough(seed, level):
    table = units(seed)
    y_true, score = table["target"].to_numpy(), table["score"].to_numpy()
    found = operating.threshold(y_true, score, criterion="specificity", level=level)
    assert np.mean(score[y_true == 0] < found) >= level - 1e-12
    lower = score[score < found].max()
    assert np.mean(score[y_true == 0] < lower) < level


@pytest.mark.parametrize("n", [20, 100, 1000])
def test_a_specificity_that_is_just_met_counts(n):
    y_true = np.array([0] * n + [1])
    score = np.array([*range(n), n * 0.95 - 0.5]) / n  # 5 % of the negatives are above the last
    assert operating.threshold(y_true, score, criterion="specificity", level=0.95) == score[-1]


@SEEDS
@LEVELS
def test_a_threshold_for_sensitivity_is_the_highest_that_finds_enough(seed, level):
    table = units(seed)
    y_true, score = table["target"].to_numpy(), table["score"].to_numpy()
    found = operating.threshold(y_true, score, criterion="sensitivity", level=level)
    assert np.mean(score[y_true == 1] >= found) >= level - 1e-12
    higher = score[score > found]
    assert not len(higher) or np.mean(score[y_true == 1] >= higher.min()) < level


def test_nothing_is_flagged_where_a_negative_scores_highest_and_all_must_be_spared():
    found = operating.threshold([0, 1, 0], [0.9, 0.5, 0.1], criterion="specificity", level=0.99)
    assert found > 1


# === Rates ===


@SEEDS
def test_rates_and_counts_are_those_of_a_count_by_hand(seed):
    table = units(seed)
    (point,) = operating.measures(table, table, both(table), levels={"specificity": [0.8]})
    flagged, y_true = table["score"] >= point["threshold"], table["target"] == 1
    n = len(table)
    expected = {
        "flagged": flagged.sum(),
        "found": (flagged & y_true).sum(),
        "missed": (~flagged & y_true).sum(),
        "false_alarms": (flagged & ~y_true).sum(),
    }
    for name, count in expected.items():
        assert point["per_1000"][name]["value"] == pytest.approx(1000 * count / n, rel=1e-5)
    assert point["sensitivity"]["value"] == pytest.approx(flagged[y_true].mean(), abs=1e-6)
    assert point["specificity"]["value"] == pytest.approx((~flagged)[~y_true].mean(), abs=1e-6)
    examined = flagged.sum() / (flagged & y_true).sum()
    assert point["number_needed_to_examine"]["value"] == pytest.approx(examined, abs=1e-5)


def test_thresholds_are_of_the_lesions_they_were_chosen_on():
    chosen_on, table = units(0), units(1)
    shifted = table.assign(score=table["score"] / 2)
    points = operating.measures(
        shifted, chosen_on, both(table), levels={"specificity": [0.9], "sensitivity": [0.8]}
    )
    for point in points:
        assert point["threshold"] == operating.threshold(
            chosen_on["target"],
            chosen_on["score"],
            criterion=point["criterion"],
            level=point["level"],
        )
    assert points[0]["specificity"]["value"] > 0.99  # halved scores seldom reach it


@SEEDS
def test_the_limits_hold_the_value(seed):
    table = units(seed)
    points = operating.measures(
        table, table, both(table, n=200), levels={"specificity": [0.5, 0.9], "sensitivity": [0.8]}
    )
    for point in points:
        intervals = [point["sensitivity"], point["specificity"], *point["per_1000"].values()]
        assert all(i["low"] <= i["value"] <= i["high"] for i in intervals)


def test_when_every_cancer_is_found_the_interval_does_not_claim_certainty():
    table = units(0).assign(score=lambda t: t["target"] * 1.0)
    n_patients = table.loc[table["target"] == 1, "patient_id"].nunique()
    found = operating.rates(table, drawn(table), threshold=0.5)
    (point,) = operating.measures(table, table, both(table), levels={"sensitivity": [0.8]})

    assert found["sensitivity"]["high"] == found["sensitivity"]["value"] == 1
    low = found["sensitivity"]["low"]
    assert low == pytest.approx(0.025 ** (1 / n_patients), abs=1e-6)
    assert point["per_1000"]["missed"]["value"] == 0
    prevalence = table["target"].mean()
    assert point["per_1000"]["missed"]["high"] == pytest.approx(
        1000 * prevalence * (1 - low), rel=1e-4
    )
    assert point["per_1000"]["false_alarms"]["value"] == 0
    assert point["per_1000"]["false_alarms"]["high"] > 0


def test_counts_vary_with_the_prevalence_and_rates_do_not():
    """Where each patient with a malignancy has one cancer and all else is benign."""
    table = pd.DataFrame({"patient_id": np.arange(400).astype(str), "target": np.arange(400) < 40})
    table = table.assign(target=table["target"] * 1, score=np.where(np.arange(400) % 2, 0.9, 0.1))
    (point,) = operating.measures(table, table, both(table, n=300), levels={"sensitivity": [0.4]})
    counts = {k: i["high"] - i["low"] for k, i in point["per_1000"].items()}
    sensitivity = point["sensitivity"]["high"] - point["sensitivity"]["low"]
    assert point["per_1000"]["found"]["value"] == 50
    # Binomial: 20 found of 400, against 20 of the 40.
    assert counts["found"] == pytest.approx(1000 * 3.92 * np.sqrt(0.05 * 0.95 / 400), rel=0.2)
    assert sensitivity == pytest.approx(3.92 * np.sqrt(0.5 * 0.5 / 40), rel=0.2)


def test_without_positives_sensitivity_is_undefined():
    table = units(0)
    negatives = table[table["target"] == 0]
    found = operating.rates(negatives, drawn(table), threshold=0.5)
    assert found["sensitivity"]["value"] is None
    assert found["specificity"]["value"] is not None


# === Retrieval ===


def patients(*scores_of: dict) -> pd.DataFrame:
    tables = [pd.DataFrame(s).assign(patient_id=f"IP_{i}") for i, s in enumerate(scores_of)]
    return pd.concat(tables, ignore_index=True)


def retrieved(table: pd.DataFrame, k: int) -> tuple:
    return operating.retrieval(table, bootstrap.draw(table, params(40)), k=k)


MANY = {"score": [0.9, 0.8, 0.7, 0.6], "target": [0, 1, 0, 1]}  # its cancers rank 2 and 4
ONE = {"score": [0.1, 0.2, 0.3], "target": [0, 0, 1]}  # ranks 1
NONE = {"score": [1.0, 1.0, 1.0], "target": [0, 0, 0]}


@pytest.mark.parametrize(
    ("k", "share", "n_crowded"), [(1, 0.5, 2), (2, 0.75, 2), (3, 0.75, 1), (4, 1.0, 0)]
)
def test_each_patient_with_a_malignancy_counts_once(k, share, n_crowded):
    found, crowded = retrieved(patients(MANY, ONE, NONE), k)
    assert found["value"] == pytest.approx(share)
    assert crowded == n_crowded


def test_ties_at_the_last_place_count_as_chance_would_choose():
    table = patients({"score": [0.5] * 4, "target": [1, 0, 0, 0]}, NONE)
    assert retrieved(table, 1)[0]["value"] == pytest.approx(0.25)
    assert retrieved(table, 3)[0]["value"] == pytest.approx(0.75)


@SEEDS
def test_only_the_order_within_a_patient_counts(seed):
    table = units(seed)
    moved = table.assign(score=table["score"] + table["patient_id"].rank(method="dense"))
    assert retrieved(moved, 2) == retrieved(table, 2)
