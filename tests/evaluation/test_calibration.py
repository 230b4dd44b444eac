"""evaluation.calibration: probabilities in the order of the scores, and none of a patient's own."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from skinlesion.errors import InputError
from skinlesion.evaluation import calibration

SEEDS = pytest.mark.parametrize("seed", range(5))


def params(**changes) -> calibration.Params:
    return calibration.Params(**{"method": "platt", "n_parts": 4, "seed": 3} | changes)


def scored(seed: int, *, n: int = 3000, slope: float = 0.5, intercept: float = 1.0) -> pd.DataFrame:
    """Scores whose log odds must be multiplied and moved to be true."""
    rng = np.random.default_rng(seed)
    z = rng.normal(-4, 2, n)
    return pd.DataFrame(
        {
            "isic_id": [f"ISIC_{i:07d}" for i in range(n)],
            "patient_id": [f"IP_{i:04d}" for i in rng.integers(n // 10, size=n)],
            "target": (rng.random(n) < expit(slope * z + intercept)).astype(int),
            "score": expit(z),
        }
    )


# === Fitting ===


@SEEDS
def test_what_was_done_to_the_log_odds_is_undone(seed):
    found = calibration.fit(scored(seed, n=40_000), params())
    assert found.method == "platt"
    assert found.slope == pytest.approx(0.5, abs=0.05)
    assert found.intercept == pytest.approx(1.0, abs=0.15)


@SEEDS
def test_the_mean_probability_is_the_share_of_positives(seed):
    lesions = scored(seed)
    mean = calibration.fit(lesions, params()).probability(lesions["score"]).mean()
    assert mean == pytest.approx(lesions["target"].mean(), abs=1e-3)  # but for Platt's targets


@SEEDS
def test_the_order_stays_and_ties_stay_ties(seed):
    lesions = scored(seed)
    score = np.round(lesions["score"].to_numpy(), 4)
    found = calibration.fit(lesions, params()).probability(score)
    np.testing.assert_array_equal(
        pd.Series(found).rank().to_numpy(), pd.Series(score).rank().to_numpy()
    )


def test_scores_of_0_and_1_have_probabilities_at_the_ends():
    found = calibration.fit(scored(0), params()).probability([0.0, 1e-9, 0.5, 1.0])
    assert (np.diff(found) > 0).all()
    assert ((found > 0) & (found < 1)).all()


@SEEDS
def test_classes_that_do_not_overlap_have_a_finite_calibrator(seed):
    lesions = scored(seed)
    lesions["target"] = (lesions["score"] > lesions["score"].quantile(0.9)).astype(int)
    found = calibration.fit(lesions, params())
    assert found.method == "platt"
    assert 0 < found.slope < 1000


def test_off_leaves_every_score_to_the_bit():
    lesions = scored(0)
    found = calibration.fit(lesions, params(method="none"))
    assert found.reason == "calibrate.method is none"
    np.testing.assert_array_equal(found.probability(lesions["score"]), lesions["score"])
    np.testing.assert_array_equal(
        calibration.nested(lesions, params(method="none")), lesions["score"]
    )


def test_scores_that_fall_with_the_risk_are_left_as_they_are_and_it_says_why():
    lesions = scored(0, slope=-0.5, intercept=-4)
    found = calibration.fit(lesions, params())
    assert (found.method, found.slope, found.intercept) == ("none", 1, 0)
    assert found.reason == "out of fold, risk does not rise with the score"
    assert calibration.summary(found).startswith("scores are left as they are: out of fold")


def test_scores_that_are_all_equal_are_left_as_they_are():
    assert calibration.fit(scored(0).assign(score=0.25), params()).method == "none"


@pytest.mark.parametrize(("n_parts", "method"), [(3, "platt"), (4, "none")])
def test_fewer_patients_with_a_malignancy_than_parts_are_too_few(n_parts, method):
    lesions = scored(0)
    lesions["target"] = 0
    few = lesions["patient_id"].unique()[:3]
    of_few = lesions["patient_id"].isin(few)
    lesions.loc[of_few & (lesions["score"] > lesions.loc[of_few, "score"].median()), "target"] = 1
    found = calibration.fit(lesions, params(n_parts=n_parts))
    assert found.method == method
    assert ("3 out-of-fold patients" in found.reason) == (method == "none")


@pytest.mark.parametrize(("middle", "spread"), [(-6.9, 0.1), (-2.7, 0.03)])
def test_scores_that_hardly_differ_are_stretched_as_far_as_it_takes(middle, spread):
    rng = np.random.default_rng(0)
    x = rng.normal(size=4000)
    lesions = scored(0, n=4000).assign(score=expit(middle + spread * x))
    lesions["target"] = (rng.random(4000) < expit(x - 2)).astype(int)
    found = calibration.fit(lesions, params())
    assert found.slope == pytest.approx(1 / spread, rel=0.15)
    probability = found.probability(lesions["score"])
    assert probability.mean() == pytest.approx(lesions["target"].mean(), abs=1e-3)


# === Nesting ===


@SEEDS
def test_a_patients_targets_do_not_move_their_own_probabilities(seed):
    """With their targets turned round, only the others' probabilities may differ."""
    lesions = scored(seed)
    malignant = lesions.groupby("patient_id")["target"].max()
    patient = malignant.index[malignant == 1][0]
    own = (lesions["patient_id"] == patient).to_numpy()
    turned = lesions.copy()
    # Still a patient with a malignancy, so that the parts stay as they are.
    turned.loc[own, "target"] = 1
    before, after = (calibration.nested(table, params()) for table in (lesions, turned))

    np.testing.assert_array_equal(before[own], after[own])
    assert (before[~own] != after[~own]).any()


@SEEDS
def test_no_lesion_of_a_patient_is_calibrated_by_another_of_theirs(seed):
    part = calibration.parts(scored(seed), params())
    parts = pd.Series(part).groupby(scored(seed)["patient_id"]).nunique()
    assert parts.max() == 1
    assert set(part) == {0, 1, 2, 3}


@SEEDS
def test_the_order_of_the_lesions_does_not_matter(seed):
    lesions = scored(seed)
    shuffled = lesions.sample(frac=1, random_state=seed)
    found = pd.Series(calibration.nested(lesions, params()), lesions.index)
    again = pd.Series(calibration.nested(shuffled, params()), shuffled.index)
    np.testing.assert_allclose(again.sort_index(), found, rtol=1e-12)


def test_each_part_is_calibrated_by_all_the_others():
    lesions = scored(0)
    part = calibration.parts(lesions, params())
    found = calibration.nested(lesions, params())
    for i in range(4):
        others = calibration.fit(lesions[part != i], params(n_parts=2))
        expected = others.probability(lesions.loc[part == i, "score"])
        np.testing.assert_array_equal(found[part == i], expected)


@SEEDS
def test_every_part_has_its_share_of_patients_with_a_malignancy(seed):
    lesions = scored(seed)
    malignant = lesions.groupby("patient_id")["target"].max()
    part = pd.Series(calibration.parts(lesions, params())).groupby(lesions["patient_id"]).first()
    counts = part[malignant == 1].value_counts()
    assert counts.max() - counts.min() <= 1


def test_where_one_part_cannot_be_calibrated_none_is(monkeypatch):
    lesions, fitted = scored(0), []

    def platt(of_others):
        fitted.append(len(of_others))
        found = calibration._left(of_others, "")
        return found if len(fitted) == 3 else found.model_copy(update={"method": "platt"})

    monkeypatch.setattr(calibration, "_platt", platt)
    np.testing.assert_array_equal(calibration.nested(lesions, params()), lesions["score"])
    assert len(fitted) == 3


def test_nested_probabilities_are_near_those_of_the_whole():
    lesions = scored(0, n=20_000)
    whole = calibration.fit(lesions, params()).probability(lesions["score"])
    assert np.abs(calibration.nested(lesions, params()) - whole).max() < 0.05


# === Files ===


def test_a_calibrator_that_was_written_is_read_again(tmp_path):
    found = calibration.fit(scored(0), params())
    path = tmp_path / "calibration.json"
    calibration.save(path, found)
    assert calibration.load(path) == found
    assert "out-of-fold lesions" in calibration.summary(found)


@pytest.mark.parametrize("text", [None, "", "{}", json.dumps({"method": "isotonic"})])
def test_what_is_no_calibrator_is_refused_by_name(tmp_path, text):
    path = tmp_path / "calibration.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=r"calibration\.json must be a calibrator"):
        calibration.load(path)
