"""evaluation.uncertainty: whether a spread tells errors is seen, and so is that it does not."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import spearmanr
from sklearn.metrics import log_loss, roc_auc_score

from skinlesion.evaluation import bootstrap, uncertainty

SAMPLING = bootstrap.Params(min_tpr=0.8, n_resamples=200, confidence=0.95, seed=0)


def drawn(*, telling: bool, n_patients: int = 150) -> pd.DataFrame:
    """Lesions whose logit was moved by noise, of which the uncertainty is the size, or is not."""
    rng = np.random.default_rng(1)
    patients = np.repeat(np.arange(n_patients), 8)
    truth = rng.normal(-2, 1.5, len(patients))
    target = (rng.random(len(patients)) < expit(truth)).astype(int)
    size = rng.gamma(1.0, 2.0, len(patients))
    score = expit(truth + rng.normal(size=len(patients)) * size)
    return pd.DataFrame(
        {
            "isic_id": [f"ISIC_{i:05d}" for i in range(len(patients))],
            "patient_id": patients,
            "target": target,
            "score": score,
            "probability": score,
            "table_sd_seeds": size,
            "network_sd_views": np.nan,
            "uncertainty": size if telling else rng.permutation(size),
        }
    )


def measured(lesions: pd.DataFrame) -> dict:
    return uncertainty.measures(
        lesions,
        bootstrap.draw_both(lesions, SAMPLING),
        threshold=0.3,
        min_tpr=0.8,
    )


@pytest.fixture(scope="module")
def telling():
    lesions = drawn(telling=True)
    return lesions, measured(lesions)


def test_errors_that_the_spread_tells_are_seen(telling):
    _, found = telling
    excess = [b["excess"]["value"] for b in found["errors"]["bins"]]

    assert excess == sorted(excess)
    assert found["errors"]["bins"][-1]["excess"]["low"] > 0
    assert found["abstaining"]["difference"]["auc"]["value"] > 0.005


def test_a_spread_that_tells_nothing_is_not_made_to():
    found = measured(drawn(telling=False))

    assert found["errors"]["loss"]["low"] < 0 < found["errors"]["loss"]["high"]
    for name in ("auc", "pauc", "sensitivity"):
        change = found["abstaining"]["difference"][name]
        assert change["low"] < 0 < change["high"]
    assert found["abstaining"]["gain"]["value"] < 0


def test_losses_and_correlations_are_those_of_scikit_learn_and_scipy(telling):
    lesions, found = telling
    loss = -np.log(np.where(lesions["target"] == 1, lesions["score"], 1 - lesions["score"]))
    risk = lesions["score"]
    expected = -(risk * np.log(risk) + (1 - risk) * np.log(1 - risk))
    for by, name in ((lesions["uncertainty"], "loss"), (expected, "by_probability")):
        assert found["errors"][name]["value"] == pytest.approx(spearmanr(by, loss)[0], rel=1e-5)
    bins = found["errors"]["bins"]
    last = lesions[lesions["uncertainty"] >= lesions["uncertainty"].quantile(0.8)]
    assert bins[-1]["n_lesions"] == len(last)
    assert bins[-1]["loss"]["value"] == pytest.approx(
        log_loss(last["target"], last["score"]), rel=1e-4
    )
    assert sum(b["n_positives"] for b in bins) == lesions["target"].sum()


def test_the_rest_and_what_else_is_found_are_those_counted_one_by_one(telling):
    lesions, found = telling
    ordered = lesions.sort_values("uncertainty", ascending=False)
    left, rest = ordered[:120], ordered[120:]
    a = found["abstaining"]

    assert (a["n_lesions"], a["n_positives"]) == (120, left["target"].sum())
    whole, part = (roc_auc_score(t["target"], t["score"]) for t in (lesions, rest))
    assert a["rest"]["auc"]["value"] == pytest.approx(part, rel=1e-5)
    assert a["difference"]["auc"]["value"] == pytest.approx(part - whole, abs=1e-6)
    spared = lesions[lesions["score"] < 0.3]
    more = spared[spared["isic_id"].isin(left["isic_id"])]
    assert a["n_more"] == len(more)
    next_best = spared.sort_values("score", ascending=False)[: len(more)]
    n, flagged = lesions["target"].sum(), lesions.loc[lesions["score"] >= 0.3, "target"].sum()
    expected = {
        "uncertain": flagged + more["target"].sum(),
        "by_score": flagged + next_best["target"].sum(),
        "random": flagged + spared["target"].mean() * len(more),
    }
    for name, count in expected.items():
        assert a["found"][name]["value"] == pytest.approx(count / n, rel=1e-5)
    own = rest[rest["target"] == 1]["score"] >= 0.3
    assert a["rest"]["sensitivity"]["value"] == pytest.approx(own.mean(), rel=1e-5)


def test_the_order_of_the_rows_does_not_matter(telling):
    lesions, found = telling

    assert measured(lesions.sample(frac=1, random_state=3)) == found


def test_only_what_was_spread_over_is_named(telling):
    _, found = telling

    assert found["sources"] == ["seeds of the table expert"]


@pytest.mark.parametrize("given", [None, np.nan, 0.5])
def test_without_a_spread_nothing_is_measured(given):
    lesions = drawn(telling=True).drop(columns="uncertainty")
    if given is not None:
        lesions["uncertainty"] = given

    assert measured(lesions) is None
