"""evaluation.comparison: paired over patients, and plain about what is not shown."""

from pathlib import Path

import numpy as np
import pytest
from tests.resampling import lesions, params

from skinlesion import metrics
from skinlesion.errors import InputError
from skinlesion.evaluation import bootstrap, comparison, operating, ranking

SEEDS = pytest.mark.parametrize("seed", range(5))
SCORES = Path("predictions/holdout.csv")


def scored(seed: int, *, noise: float = 0.0):
    table = lesions(seed, levels=100_000)
    table["isic_id"] = [f"ISIC_{i:07d}" for i in range(len(table))]
    rng = np.random.default_rng(100 + seed)
    return table.assign(score=table["score"] + noise * rng.normal(size=len(table)))


def compared(first, second) -> dict:
    return comparison.paired(first, second, params(200))


@SEEDS
def test_the_values_and_their_difference_are_those_of_the_metrics(seed):
    first, second = scored(seed), scored(seed, noise=1.0)
    found = compared(first, second)
    for name, area in (("pauc", metrics.partial_auc), ("auc", metrics.auc)):
        one, other = (area(t["target"], t["score"]) for t in (first, second))
        assert found[name]["first"]["value"] == pytest.approx(one, abs=1e-6)
        assert found[name]["second"]["value"] == pytest.approx(other, abs=1e-6)
        assert found[name]["difference"]["value"] == pytest.approx(other - one, abs=2e-6)


@SEEDS
def test_a_run_does_not_differ_from_itself_whatever_the_order_of_its_rows(seed):
    first = scored(seed)
    found = compared(first, first.sample(frac=1, random_state=seed))
    for name in ("pauc", "auc"):
        assert found[name]["difference"] == {"value": 0, "low": 0, "high": 0}
        assert comparison.verdict(found[name]["difference"], first="a", second="b") == (
            "no difference shown"
        )


@SEEDS
def test_pairing_makes_the_interval_of_a_small_change_narrow(seed):
    found = compared(scored(seed), scored(seed, noise=0.02))["auc"]
    width = {name: i["high"] - i["low"] for name, i in found.items()}
    assert width["difference"] < 0.5 * min(width["first"], width["second"])


@SEEDS
def test_turned_round_the_difference_changes_its_sign(seed):
    first, second = scored(seed), scored(seed, noise=1.0)
    one, other = (
        compared(*pair)["pauc"]["difference"] for pair in ((first, second), (second, first))
    )
    assert one["low"] == pytest.approx(-other["high"], abs=1e-6)
    assert one["high"] == pytest.approx(-other["low"], abs=1e-6)


def test_a_ruined_score_is_shown_to_be_worse():
    first = scored(0)
    found = compared(first, first.assign(score=-first["score"]))["auc"]["difference"]
    assert comparison.verdict(found, first="main", second="ruin") == "main is better"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.01, 0.2, "new is better"),
        (-0.2, -0.01, "old is better"),
        (-0.1, 0.1, "no difference shown"),
        (0.0, 0.1, "no difference shown"),
        (None, None, "no difference shown"),
    ],
)
def test_the_verdict_needs_an_interval_that_excludes_zero(low, high, expected):
    difference = {"value": 0.1, "low": low, "high": high}
    assert comparison.verdict(difference, first="old", second="new") == expected


@pytest.mark.parametrize("change", ["fewer", "targets", "patients"])
def test_other_lesions_are_refused_with_their_numbers(change):
    first = scored(0)
    second = {
        "fewer": first[:200],
        "targets": first.assign(target=1 - first["target"]),
        "patients": first.assign(patient_id="IP_1"),
    }[change]
    with pytest.raises(InputError, match=r"the same lesions.*Got 300 and \d00 lesions, of which"):
        compared(first, second)


def test_the_summary_says_what_each_measure_shows():
    first = scored(0)
    second = first.assign(score=-first["score"])
    said = comparison.summary(first, compared(first, second), first="main", second="ruin")
    head, pauc, auc = said.splitlines()
    assert head.startswith("300 lesions of ")
    assert "ruin less main (these trained models; other seeds" in head
    assert pauc.startswith("pAUC")
    assert auc.startswith("AUC")
    assert auc.endswith("  main is better")
    assert f"{metrics.auc(first['target'], first['score']):.4f} -> " in auc


@pytest.mark.parametrize("score", [np.nan, "high", None])
def test_a_score_that_is_no_number_is_refused_by_the_lesions_name(score):
    first = scored(0)
    second = first.assign(score=first["score"].astype(object))
    second.loc[4, "score"] = score
    with pytest.raises(InputError, match=r"one score, a number\. Got otherwise: ISIC_0000004"):
        compared(first, second)


def test_a_lesion_that_occurs_twice_is_refused_by_name():
    first, twice = scored(0), {"ISIC_0000009": "ISIC_0000007"}
    with pytest.raises(InputError, match=r"one score, a number\. Got otherwise: ISIC_0000007"):
        compared(first, first.assign(isic_id=first["isic_id"].replace(twice)))


def test_targets_may_be_written_as_whole_numbers_or_not():
    first = scored(0)
    found = compared(first, first.assign(target=first["target"].astype(float)))
    assert found["auc"]["difference"]["value"] == 0


def test_another_min_tpr_gives_another_pauc():
    first, second = scored(0), scored(0, noise=0.5)
    p = params(50).model_copy(update={"min_tpr": 0.4})
    found = comparison.paired(first, second, p)["pauc"]["second"]["value"]
    expected = metrics.partial_auc(second["target"], second["score"], min_tpr=0.4)
    assert found == pytest.approx(expected, abs=1e-6)


# === In use ===


def test_in_use_the_values_are_those_of_each_set_alone():
    first, second = scored(0), scored(0, noise=1.0)
    found = comparison.paired_in_use(first, second, params(50), k=3, sensitivity=0.8)
    for side, table in (("first", first), ("second", second)):
        ranked = table.sort_values("score", ascending=False)
        n_found = ranked["target"].cumsum()
        n = int((n_found < 0.8 * n_found.iloc[-1]).sum()) + 1
        expected = n / n_found.iloc[n - 1]
        assert found["examined_per_cancer"][side]["value"] == pytest.approx(expected, rel=1e-5)
        retrieval, _ = operating.retrieval(table, bootstrap.draw(table, params(50)), k=3)
        assert found["top_k_sensitivity"][side]["value"] == retrieval["value"]


def test_in_use_a_run_does_not_differ_from_itself():
    first = scored(1)
    found = comparison.paired_in_use(
        first, first.sample(frac=1, random_state=0), params(50), k=3, sensitivity=0.8
    )
    assert all(of["difference"] == {"value": 0, "low": 0, "high": 0} for of in found.values())


def test_in_use_what_depends_on_the_prevalence_varies_with_it():
    """Lesions examined per cancer are one over the precision."""
    first, second, p = scored(0), scored(0, noise=1.0), params(200)
    found = comparison.paired_in_use(first, second, p, k=5, sensitivity=0.8)
    free = bootstrap.draw(first, p, stratified=False)
    each = ranking.rank(first, first["score"], free).each(lambda roc: roc.examined(0.8))

    expected = bootstrap.interval(each, p.confidence)
    assert found["examined_per_cancer"]["first"] == expected
