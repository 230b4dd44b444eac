"""evaluation.members: the score in use against each member, paired."""

import numpy as np
import pandas as pd
import pytest

from skinlesion.evaluation import bootstrap, members, operating

SAMPLING = bootstrap.Params(min_tpr=0.8, n_resamples=50, confidence=0.9, seed=0)


def drawn(seed: int = 0, n: int = 800) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    target = (rng.random(n) < 0.1).astype(int)
    return pd.DataFrame(
        {
            "isic_id": [f"ISIC_{i}" for i in range(n)],
            "patient_id": rng.integers(0, 20, n),
            "target": target,
            "score": rng.normal(2 * target, 1),
            "member_network": rng.normal(1 * target, 1),
            "member_table": rng.normal(1.5 * target, 1),
            "member_table_alone": rng.normal(0.3 * target, 1),
        }
    )


def measured(lesions: pd.DataFrame) -> dict:
    resamples = bootstrap.draw(lesions, SAMPLING)
    return members.measures(lesions, SAMPLING, resamples, k=5)


def test_each_score_that_there_is_has_a_row_and_no_other():
    rows = measured(drawn())["rows"]
    assert [r["column"] for r in rows] == ["member_network", "member_table", "member_table_alone"]
    assert [r["label"] for r in rows] == [members.LABELS[r["column"]] for r in rows]


def test_against_itself_a_score_has_no_difference():
    lesions = drawn().assign(member_network=lambda t: t["score"])
    for found in measured(lesions)["rows"][0]["difference"].values():
        assert found == {"value": 0, "low": 0, "high": 0}


def test_differences_are_those_of_the_measures():
    lesions = drawn()
    resamples = bootstrap.draw(lesions, SAMPLING)
    in_use, _ = operating.retrieval(lesions, resamples, k=5)
    row = measured(lesions)["rows"][0]
    assert row["difference"]["top_k_sensitivity"]["value"] == pytest.approx(
        in_use["value"] - row["top_k_sensitivity"]["value"], abs=1e-5
    )
    assert row["difference"]["auc"]["low"] > 0


def test_context_is_what_the_other_lesions_give_to_the_table_expert():
    found = measured(drawn())
    beside, alone = found["rows"][1], found["rows"][2]
    expected = beside["auc"]["value"] - alone["auc"]["value"]
    assert found["context"]["auc"]["value"] == pytest.approx(expected, abs=1e-5)
    same = drawn().assign(member_table_alone=lambda t: t["member_table"])
    assert measured(same)["context"] is None


def test_without_members_there_is_nothing_to_show():
    lesions = drawn()[["isic_id", "patient_id", "target", "score"]]
    assert measured(lesions) == {"rows": [], "context": None}


def test_a_member_without_fault_is_not_taken_for_certain():
    """What no patient shows, no resample does."""
    lesions = drawn()
    lesions["target"] &= lesions.groupby("patient_id")["target"].cumsum() == 1
    lesions["member_network"] = lesions["target"] + lesions["score"] / 1000
    row = measured(lesions)["rows"][0]

    assert row["auc"] == {"value": 1.0, "low": None, "high": None}
    assert row["top_k_sensitivity"]["value"] == 1.0
    assert row["top_k_sensitivity"]["low"] < 0.9
