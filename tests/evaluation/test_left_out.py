"""evaluation.left_out: nothing is fitted to the fold that it is used on."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit
from tests.members import drawn as members
from tests.members import params

from skinlesion.evaluation import left_out


def drawn(seed: int = 0, n_folds: int = 3, **changes) -> pd.DataFrame:
    """Out-of-fold lesions as stage `calibrate` writes them; a fold per patient."""
    table = members(seed, **changes)
    names = {name: f"member_{name}" for name in ("network", "table", "table_alone")}
    fold = table["patient_id"].astype(int) % n_folds
    return table.rename(columns=names).assign(fold=fold, score=table["network"])


def by_hand(others: pd.DataFrame, own: pd.DataFrame) -> np.ndarray:
    """Probabilities of Platt scaling of the table alone, by a general optimiser."""
    z, y = logit(others["member_table"]), others["target"]
    high, low = (y.sum() + 1) / (y.sum() + 2), 1 / ((1 - y).sum() + 2)
    wanted = np.where(y == 1, high, low)

    def loss(line: np.ndarray) -> float:
        log_odds = line[0] + line[1] * z
        return float((np.logaddexp(0, log_odds) - wanted * log_odds).sum())

    level, rise = minimize(loss, [0.0, 1.0], tol=1e-10).x
    return expit(level + rise * logit(own["member_table"]))


def test_one_member_is_calibrated_and_flagged_by_the_other_folds():
    oof = drawn()
    found = left_out.by_others(oof, params(members=["table"]), specificity=0.9)

    assert found.index.equals(oof.index)
    assert found["score"].equals(oof["member_table"].rename("score"))
    for fold in range(3):
        own, others = oof[oof["fold"] == fold], oof[oof["fold"] != fold]
        benign = np.sort(others.loc[others["target"] == 0, "member_table"])
        flagged = found.loc[own.index, "flagged"]
        chosen = own.loc[flagged, "member_table"].min()
        assert (benign < chosen).mean() >= 0.9
        missed = own.loc[~flagged, "member_table"].max()
        assert (benign < missed).mean() < 0.9 + 1 / len(benign)
        expected = by_hand(others, own)
        assert found.loc[own.index, "probability"].to_numpy() == pytest.approx(expected, abs=1e-4)


def test_a_folds_own_targets_move_nothing_of_it():
    oof = drawn()
    rng = np.random.default_rng(0)
    own = oof["fold"] == 1
    other = oof.assign(target=np.where(own, rng.permutation(oof["target"]), oof["target"]))
    one, two = (left_out.by_others(t, params(), specificity=0.9) for t in (oof, other))

    columns = ["score", "probability", "flagged"]
    pd.testing.assert_frame_equal(one.loc[own, columns], two.loc[own, columns])
    assert not one.loc[~own, columns].equals(two.loc[~own, columns])


def test_members_are_combined_anew_for_each_fold():
    oof = drawn()
    spoilt = oof["fold"] == 2
    noise = np.random.default_rng(1).random(len(oof))
    oof["member_network"] = np.where(spoilt, noise, oof["member_network"])
    found = left_out.by_others(oof, params(), specificity=0.9)

    def weight(fold: int) -> float:
        rows = (oof["fold"] == fold).to_numpy()
        z = np.column_stack([logit(oof[f"member_{m}"][rows]) for m in ("network", "table")])
        return float(np.linalg.lstsq(z, logit(found["score"][rows]), rcond=None)[0][0])

    assert weight(2) > weight(0) + 0.1
    assert weight(2) > weight(1) + 0.1


def test_scores_without_members_are_taken_as_they_are():
    oof = drawn().drop(columns=["member_network", "member_table", "member_table_alone"])
    found = left_out.by_others(oof, params(), specificity=0.9)

    assert found["score"].tolist() == oof["score"].tolist()


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_rows_is_irrelevant(seed):
    oof = drawn()
    shuffled = oof.sample(frac=1, random_state=seed)
    one, two = (left_out.by_others(t, params(), specificity=0.9) for t in (oof, shuffled))

    pd.testing.assert_frame_equal(two.sort_index(), one, rtol=1e-9)
