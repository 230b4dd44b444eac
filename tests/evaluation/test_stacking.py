"""evaluation.stacking: weights are fitted out of fold, and no patient decides on itself."""

import numpy as np
import pandas as pd
import pytest
from tests.members import BOTH, drawn, params, spread

from skinlesion import metrics
from skinlesion.errors import InputError
from skinlesion.evaluation import calibration, regression, stacking


def auc(lesions: pd.DataFrame, score) -> float:
    return metrics.auc(lesions["target"], score)


@pytest.mark.parametrize("combine", ["logistic", "ranks"])
@pytest.mark.parametrize("seed", range(3))
def test_two_members_that_err_apart_are_better_together(combine, seed):
    p, oof, other = params(combine=combine), drawn(seed), drawn(seed + 10)
    combined = stacking.fit(oof, BOTH, p)
    best = max(auc(other, other[name]) for name in BOTH)
    assert auc(other, combined.score(other)) > best + 0.02


@pytest.mark.parametrize("combine", ["logistic", "ranks"])
def test_the_weights_of_the_members_sum_to_1(combine):
    combined = stacking.fit(drawn(), BOTH, params(combine=combine))
    assert sum(combined.weights.values()) == pytest.approx(1)
    assert ((score := combined.score(drawn(1))) >= 0).all()
    assert (score <= 1).all()


def test_the_better_member_weighs_more_and_one_that_misleads_is_left_out():
    weights = stacking.fit(drawn(network=2.5, table=0.8), BOTH, params()).weights
    assert weights["network"] > 2 * weights["table"]
    assert stacking.fit(drawn(table=-1.0), BOTH, params()).weights == {"network": 1.0}


def test_one_member_keeps_its_scores_to_the_bit_and_is_calibrated_as_before():
    oof, p = drawn(), params(members=["network"])
    combined = stacking.fit(oof, ["network"], p)
    found = stacking.nested(oof, ["network"], p)
    for same in (combined.score(oof), found["score"], found["score_alone"]):
        np.testing.assert_array_equal(same, oof["network"])
    expected = calibration.nested(oof.assign(score=oof["network"]), p)
    np.testing.assert_array_equal(found["probability"], expected)


def test_the_logistic_fit_is_that_of_the_two_logits():
    """The weighted mean's Platt line gives back the coefficients of one regression on both."""
    oof, p = drawn(), params()
    combined = stacking.fit(oof, BOTH, p)
    line = calibration.fit(oof.assign(score=combined.score(oof)), p)
    z = np.column_stack([np.ones(len(oof)), *(calibration.logits(oof[n]) for n in BOTH)])
    drawn_in = calibration.targets(oof["target"].to_numpy())[:, None]
    beta = regression.logistic(z, drawn_in, np.ones_like(drawn_in), offset=np.zeros(len(z)))[:, 0]
    found = [line.intercept, *(line.slope * combined.weights[n] for n in BOTH)]
    np.testing.assert_allclose(found, beta, rtol=1e-6)


@pytest.mark.parametrize("combine", ["logistic", "ranks"])
def test_no_patient_decides_on_its_own_scores(combine):
    oof, p = drawn(), params(combine=combine)
    before = stacking.nested(oof, BOTH, p)
    part = calibration.parts(oof, p)
    # Patients of one part trade labels among their own lesions, each keeping their number.
    turned = oof.copy()
    for _, rows in oof[part == 0].groupby("patient_id").groups.items():
        turned.loc[rows, "target"] = np.roll(oof.loc[rows, "target"], 1)
    after = stacking.nested(turned, BOTH, p)
    pd.testing.assert_frame_equal(before[part == 0], after[part == 0])
    assert (before["probability"] != after["probability"])[part == 1].any()


def test_the_order_of_the_rows_does_not_matter():
    oof, p = drawn(), params()
    rows = np.random.default_rng(0).permutation(len(oof))
    found = stacking.nested(oof.iloc[rows].reset_index(drop=True), BOTH, p)
    expected = stacking.nested(oof, BOTH, p).iloc[rows].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-9)


def test_with_few_malignant_patients_the_members_weigh_the_same():
    oof = drawn(n=60)
    oof["target"] = 0
    oof.loc[:1, "target"] = 1
    assert stacking.fit(oof, BOTH, params()).weights == {"network": 0.5, "table": 0.5}


def test_without_scores_of_the_table_expert_the_network_is_the_only_member():
    assert stacking.present(drawn().drop(columns="table"), params()) == ["network"]
    with pytest.raises(InputError, match=r"calibrate.members must name a member with scores"):
        stacking.present(drawn().drop(columns="table"), params(members=["table"]))


def test_a_patients_uncertainty_is_by_the_weights_of_the_other_patients():
    oof, p = spread(drawn()), params()
    found = stacking.nested(oof, BOTH, p)["uncertainty"]
    part = calibration.parts(oof, p)
    for i in range(p.n_parts):
        others = stacking.fit(oof[part != i], BOTH, p)
        np.testing.assert_allclose(found[part == i], others.uncertainty(oof[part == i]))


def test_where_one_part_has_no_calibrator_every_probability_is_the_score(monkeypatch):
    oof, p = drawn(n=500), params()
    fit, n_fits = calibration.fit, iter(range(p.n_parts))

    def once_without(lesions, p):
        found = fit(lesions, p)
        return found.model_copy(update={"method": "none"}) if next(n_fits) == 2 else found

    monkeypatch.setattr(calibration, "fit", once_without)
    found = stacking.nested(oof, BOTH, p)

    np.testing.assert_array_equal(found["probability"], found["score"])


@pytest.mark.parametrize("n_parts", [10, 11, 12])
def test_whether_there_are_enough_to_calibrate_is_decided_by_all_and_once(n_parts):
    """Each part's others are fewer; one member alone is calibrated by the same rule."""
    oof = drawn(n=1200)
    malignant = oof.loc[oof["target"] == 1, "patient_id"].unique()
    oof = oof[~oof["patient_id"].isin(malignant[11:])].reset_index(drop=True)
    p = params(n_parts=n_parts)
    found = stacking.nested(oof, BOTH, p)
    is_raw = bool((found["probability"] == found["score"]).all())
    alone = calibration.nested(oof.assign(score=oof["network"]), p)

    assert is_raw == (n_parts > 11)
    assert is_raw == bool((alone == oof["network"]).all())


def test_a_member_is_named_once():
    with pytest.raises(ValueError, match="names each member once"):
        params(members=["network", "network"])
