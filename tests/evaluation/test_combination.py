"""evaluation.combination: several members' scores become one, and no patient decides on itself."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from skinlesion import metrics
from skinlesion.errors import InputError
from skinlesion.evaluation import calibration, combination

BOTH = ["network", "table"]


def params(**changes) -> combination.Params:
    given = {"members": BOTH, "combine": "logistic", "method": "platt", "n_parts": 4, "seed": 3}
    return combination.Params(**given | changes)


def drawn(seed: int = 0, n: int = 3000, network: float = 1.5, table: float = 1.5) -> pd.DataFrame:
    """Two members whose errors are independent, and a table expert that is worse alone."""
    rng = np.random.default_rng(seed)
    target = (rng.random(n) < 0.1).astype(int)
    return pd.DataFrame(
        {
            "isic_id": [f"ISIC_{i:07d}" for i in range(n)],
            "patient_id": rng.integers(0, 200, n).astype(str),
            "target": target,
            "fold": 0,
            "network": expit(rng.normal(network * target - 2, 1)),
            "table": expit(rng.normal(table * target - 2, 1)),
            "table_alone": expit(rng.normal(0.5 * target - 2, 1)),
        }
    )


def auc(lesions: pd.DataFrame, score) -> float:
    return metrics.auc(lesions["target"], score)


@pytest.mark.parametrize("combine", ["logistic", "ranks"])
@pytest.mark.parametrize("seed", range(3))
def test_two_members_that_err_apart_are_better_together(combine, seed):
    p, oof, other = params(combine=combine), drawn(seed), drawn(seed + 10)
    combined = combination.fit(oof, BOTH, p)
    best = max(auc(other, other[name]) for name in BOTH)
    assert auc(other, combined.score(other)) > best + 0.02


@pytest.mark.parametrize("combine", ["logistic", "ranks"])
def test_the_weights_of_the_members_sum_to_1(combine):
    combined = combination.fit(drawn(), BOTH, params(combine=combine))
    assert sum(combined.weights.values()) == pytest.approx(1)
    assert ((score := combined.score(drawn(1))) >= 0).all()
    assert (score <= 1).all()


def test_the_better_member_weighs_more_and_one_that_misleads_is_left_out():
    weights = combination.fit(drawn(network=2.5, table=0.8), BOTH, params()).weights
    assert weights["network"] > 2 * weights["table"]
    assert combination.fit(drawn(table=-1.0), BOTH, params()).weights == {"network": 1.0}


def test_one_member_keeps_its_scores_to_the_bit_and_is_calibrated_as_before():
    oof, p = drawn(), params(members=["network"])
    combined = combination.fit(oof, ["network"], p)
    score, alone, probability, _ = combination.nested(oof, ["network"], p)
    for same in (combined.score(oof), score, alone):
        np.testing.assert_array_equal(same, oof["network"])
    expected = calibration.nested(oof.assign(score=oof["network"]), p)
    np.testing.assert_array_equal(probability, expected)


def test_the_logistic_fit_is_that_of_the_two_logits():
    """The weighted mean's Platt line gives back the coefficients of one regression on both."""
    oof, p = drawn(), params()
    combined = combination.fit(oof, BOTH, p)
    line = calibration.fit(oof.assign(score=combined.score(oof)), p)
    z = np.column_stack([np.ones(len(oof)), *(calibration.logits(oof[n]) for n in BOTH)])
    drawn_in = calibration.targets(oof["target"].to_numpy())[:, None]
    beta = calibration.logistic(z, drawn_in, np.ones_like(drawn_in), offset=np.zeros(len(z)))[:, 0]
    found = [line.intercept, *(line.slope * combined.weights[n] for n in BOTH)]
    np.testing.assert_allclose(found, beta, rtol=1e-6)


def test_ranks_are_frozen_on_the_out_of_fold_scores():
    combined = combination.fit(drawn(), BOTH, params(combine="ranks"))
    other = drawn(5)
    alone = [combined.score(other.iloc[[i]])[0] for i in range(5)]
    assert alone == combined.score(other)[:5].tolist()


@pytest.mark.parametrize("combine", ["logistic", "ranks"])
def test_no_patient_decides_on_its_own_scores(combine):
    oof, p = drawn(), params(combine=combine)
    before = combination.nested(oof, BOTH, p)
    part = calibration.parts(oof, p)
    # Patients of one part trade labels among their own lesions, each keeping their number.
    turned = oof.copy()
    for _, rows in oof[part == 0].groupby("patient_id").groups.items():
        turned.loc[rows, "target"] = np.roll(oof.loc[rows, "target"], 1)
    after = combination.nested(turned, BOTH, p)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one[part == 0], other[part == 0])
    assert (before[2][part == 1] != after[2][part == 1]).any()


def test_the_order_of_the_rows_does_not_matter():
    oof, p = drawn(), params()
    rows = np.random.default_rng(0).permutation(len(oof))
    score, _, probability, _ = combination.nested(oof.iloc[rows].reset_index(drop=True), BOTH, p)
    expected = combination.nested(oof, BOTH, p)
    np.testing.assert_allclose(score, expected[0][rows], rtol=1e-9)
    np.testing.assert_allclose(probability, expected[2][rows], rtol=1e-9)


def test_with_few_malignant_patients_the_members_weigh_the_same():
    oof = drawn(n=60)
    oof["target"] = 0
    oof.loc[:1, "target"] = 1
    assert combination.fit(oof, BOTH, params()).weights == {"network": 0.5, "table": 0.5}


def test_alone_the_table_expert_is_that_of_single_lesions_and_the_network_the_same():
    lesions = drawn()
    combined = combination.fit(lesions, BOTH, params())
    expected = combined.score(lesions.assign(table=lesions["table_alone"]))
    np.testing.assert_array_equal(combined.score(lesions, alone=True), expected)


def test_without_scores_of_the_table_expert_the_network_is_the_only_member():
    assert combination.present(drawn().drop(columns="table"), params()) == ["network"]
    with pytest.raises(InputError, match=r"calibrate.members must name a member with scores"):
        combination.present(drawn().drop(columns="table"), params(members=["table"]))


def test_what_is_written_holds_each_score(tmp_path):
    lesions = drawn()
    combined = combination.fit(lesions, BOTH, params())
    found = combination.apply(lesions, combined)
    assert [c for c in found if c.startswith("member_")] == [
        *("member_network", "member_table", "member_table_alone")
    ]
    assert "score_alone" in found
    combination.save(tmp_path / "combination.json", combined)
    assert json.loads((tmp_path / "combination.json").read_text())["weights"] == combined.weights
    nested = combination.apply_nested(lesions, BOTH, params())
    assert nested["probability"].between(0, 1).all()
    assert "network" in combination.summary(combined)


# === Reading ===


def write(folder, lesions: pd.DataFrame, other: pd.DataFrame) -> None:
    for name in ("holdout", "oof"):
        lesions.assign(score=lesions["network"]).to_csv(folder / f"{name}.csv", index=False)
        other.to_csv(folder / f"table-{name}.csv", index=False)
    for name in ("holdout", "oof", "test"):
        spread = pd.DataFrame({"isic_id": lesions["isic_id"], "network_sd_views": 0.25})
        spread[::-1].to_csv(folder / f"network-{name}.csv", index=False)
    test = lesions[["isic_id"]].assign(target=lesions["network"])
    test.to_csv(folder / "submission.csv", index=False)
    other.to_csv(folder / "table-test.csv", index=False)


def test_scores_are_joined_by_isic_id(tmp_path):
    lesions = drawn(n=20)
    turned = lesions[["isic_id", "table", "table_alone"]][::-1]
    write(tmp_path, lesions.drop(columns=["table", "table_alone"]), turned)
    for found in combination.join(tmp_path).values():
        np.testing.assert_allclose(found["table"], lesions["table"])
        np.testing.assert_allclose(found["network"], lesions["network"])
        assert found["network_sd_views"].tolist() == [0.25] * 20


def test_a_lesion_that_the_table_expert_lacks_is_named(tmp_path):
    lesions = drawn(n=20)
    write(tmp_path, lesions, lesions[["isic_id", "table"]][1:])
    with pytest.raises(InputError, match=r"table-test.csv must hold .* ISIC_0000000 is absent"):
        combination.join(tmp_path)


def test_a_run_without_a_table_expert_has_the_network_only(tmp_path):
    lesions = drawn(n=20).drop(columns=["table", "table_alone"])
    write(tmp_path, lesions, lesions[["isic_id"]][:0])
    assert "table" not in combination.join(tmp_path)["oof"]


# === Uncertainty and marks ===


def spread(lesions: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    columns = [c for of in combination.SPREADS.values() for c in of]
    return lesions.assign(**{c: rng.gamma(1, 0.2, len(lesions)) for c in columns})


def test_the_uncertainty_is_the_root_of_the_weighted_sum_of_squares():
    lesions = spread(drawn(n=20))
    combined = combination.Combination(
        method="logistic", weights={"network": 0.25, "table": 0.75}, ranks={}
    )
    variance = sum(
        combined.weights[name] ** 2 * lesions[column] ** 2
        for name, columns in combination.SPREADS.items()
        for column in columns
    )

    np.testing.assert_allclose(combined.uncertainty(lesions), np.sqrt(variance))
    one = combination.Combination(method="one", weights={"table": 1.0}, ranks={})
    own = lesions.drop(columns="table_sd_folds")
    np.testing.assert_allclose(one.uncertainty(own), lesions["table_sd_seeds"])


def test_without_a_spread_of_a_member_that_counts_the_uncertainty_is_not_known():
    lesions = spread(drawn(n=20)).drop(columns=["table_sd_folds", "table_sd_seeds"])
    one = combination.Combination(method="one", weights={"table": 1.0}, ranks={})
    ranks = combination.fit(drawn(), BOTH, params(combine="ranks"))

    assert np.isnan(one.uncertainty(lesions)).all()
    assert np.isnan(ranks.uncertainty(spread(drawn(n=20)))).all()


def test_a_patients_uncertainty_is_by_the_weights_of_the_other_patients():
    oof, p = spread(drawn()), params()
    found = combination.apply_nested(oof, BOTH, p)["uncertainty"]
    part = calibration.parts(oof, p)
    for i in range(p.n_parts):
        others = combination.fit(oof[part != i], BOTH, p)
        np.testing.assert_allclose(found[part == i], others.uncertainty(oof[part == i]))


def test_marks_are_joined_by_isic_id_and_an_absent_lesion_is_named(tmp_path):
    lesions = drawn(n=4)[["isic_id"]]
    marks = lesions.assign(image_distance=1.0, shift=[None, "sex 'x', y; the tile", None, "age"])
    marks[::-1].to_csv(tmp_path / "oof.csv", index=False)
    found = combination.marked(lesions, tmp_path / "oof.csv")
    assert found["shift"].tolist() == ["", "sex 'x', y; the tile", "", "age"]
    marks[1:].to_csv(tmp_path / "oof.csv", index=False)
    with pytest.raises(InputError, match=r"oof.csv must hold every lesion. ISIC_0000000 is absent"):
        combination.marked(lesions, tmp_path / "oof.csv")
