"""evaluation.measurement: one record of all figures of each set of lesions."""

import json

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from sklearn.metrics import average_precision_score
from tests.resampling import lesions as drawn_lesions
from tests.resampling import params as sampling

from skinlesion import metrics
from skinlesion.errors import InputError
from skinlesion.evaluation import bootstrap, calibration, comparison, measurement, operating

PARAMS = {
    "n_bins": 10,
    "n_curve_points": 50,
    "specificities": [0.7, 0.95],
    "sensitivities": [0.8],
    "top_k": 3,
    "baseline": "diameter",
    "cost_ratio": 20,
    "min_positives": 25,
    "patient_folds": None,
}
SEEDS = pytest.mark.parametrize("seed", range(3))


def params(**changes) -> measurement.Params:
    return measurement.Params(**PARAMS | changes)


def lesions(seed: int) -> pd.DataFrame:
    table = drawn_lesions(seed)
    rng = np.random.default_rng(seed)
    score = table["score"].rank(method="average") / (len(table) + 1)
    return table.assign(
        isic_id=[f"ISIC_{i:07d}" for i in range(len(table))],
        score=score,
        probability=score / 2,
        diameter=np.where(rng.random(len(table)) < 0.1, np.nan, rng.gamma(2, 2, len(table)) - 5),
        sex=rng.choice(["female", "male"], len(table)),
    )


CALIBRATOR = calibration.Calibrator(
    method="platt", reason="", slope=1.0, intercept=-np.log(2), n_lesions=300, n_positives=40
)


def evaluated(seed: int = 0, *, holdout: bool = True, **changes) -> tuple[dict, dict]:
    sets = {"holdout": lesions(seed) if holdout else lesions(seed)[:0], "oof": lesions(seed + 50)}
    return measurement.evaluate(sets, CALIBRATOR, params(**changes), sampling())


# === Details ===


@SEEDS
def test_the_figures_of_the_ranking_are_those_of_metrics(seed):
    table, found = lesions(seed), evaluated(seed)[0]["sets"]["holdout"]
    y_true, score = table["target"], table["score"]
    ranking = {name: i["value"] for name, i in found["ranking"].items()}
    assert ranking["pauc"] == pytest.approx(metrics.partial_auc(y_true, score), abs=1e-6)
    assert ranking["auc"] == pytest.approx(metrics.auc(y_true, score), abs=1e-6)
    assert ranking["average_precision"] == pytest.approx(
        average_precision_score(y_true, score), abs=1e-6
    )
    assert found["n_lesions"] == 300
    assert found["n_positives"] == y_true.sum()
    assert found["prevalence"] == y_true.mean()
    assert found["n_patients_with_malignancy"] == table.loc[y_true == 1, "patient_id"].nunique()


def test_thresholds_come_from_the_out_of_fold_lesions_and_are_shown_as_probabilities():
    oof = lesions(50)
    for found in evaluated()[0]["sets"].values():
        for point in found["operating_points"]:
            score = operating.threshold(
                oof["target"], oof["score"], criterion=point["criterion"], level=point["level"]
            )
            assert point["threshold"] == pytest.approx(float(CALIBRATOR.probability(score)))
        assert found["subgroups"]["threshold"] == found["operating_points"][0]["threshold"]
        assert found["subgroups"]["specificity"] == 0.7


def test_calibration_is_of_the_scores_before_and_of_the_probabilities_after():
    table, found = lesions(0), evaluated()[0]["sets"]["holdout"]["calibration"]
    y_true = table["target"]
    for when, column in (("before", "score"), ("after", "probability")):
        expected = np.mean((table[column] - y_true) ** 2)
        assert found[when]["brier"]["value"] == pytest.approx(expected, abs=1e-6)


def test_the_baseline_sorts_by_its_column_and_puts_the_unknown_last():
    table, found = lesions(0), evaluated()[0]["sets"]["holdout"]["baseline"]
    by_column = table.assign(score=table["diameter"].fillna(-1000))
    expected = comparison.paired(by_column, table, sampling())
    assert found["column"] == "diameter"
    assert found["auc"] == expected["auc"]["first"]
    assert found["pauc_difference"] == expected["pauc"]["difference"]
    assert evaluated(baseline=None)[0]["sets"]["holdout"]["baseline"] is None


def test_without_a_holdout_the_out_of_fold_lesions_are_primary():
    details, drawn = evaluated(holdout=False)
    assert details["primary"] == "oof"
    assert list(details["sets"]) == ["oof"]
    assert all(table.empty for table in drawn["holdout"].values())
    assert not any(table.empty for table in drawn["oof"].values())


def test_the_details_are_json_without_nan_and_equal_on_a_second_run():
    text = json.dumps(evaluated()[0], allow_nan=False)
    assert json.dumps(evaluated()[0], allow_nan=False) == text


@pytest.mark.parametrize("name", ["holdout", "oof"])
def test_lesions_of_one_class_are_refused(name):
    sets = {"holdout": lesions(0), "oof": lesions(1)}
    sets[name] = sets[name].assign(target=0)
    with pytest.raises(InputError, match="both classes"):
        measurement.evaluate(sets, CALIBRATOR, params(), sampling())


def test_a_baseline_without_numbers_is_refused_by_name():
    with pytest.raises(
        InputError, match=r"evaluate\.baseline must be a column of numbers. Got 'sex'"
    ):
        evaluated(baseline="sex")


def test_what_depends_on_the_prevalence_varies_with_it():
    """With one lesion per patient and stratified resamples, the base rate would not vary."""
    table = lesions(0)
    table = table.assign(patient_id=table["isic_id"])
    found = measurement.evaluate({"holdout": table, "oof": table}, CALIBRATOR, params(), sampling())
    measured = found[0]["sets"]["holdout"]
    brier = measured["calibration"]["after"]["brier_of_base_rate"]
    assert brier["low"] < brier["value"] < brier["high"]
    p, n = table["target"].mean(), len(table)
    found_per_1000 = measured["operating_points"][0]["per_1000"]["found"]
    assert found_per_1000["high"] - found_per_1000["low"] > 1000 * np.sqrt(p * (1 - p) / n)


def test_an_order_without_fault_has_no_limits():
    table = lesions(0).assign(score=lambda t: t["target"] * 0.5 + 0.1)
    sets = {"holdout": table, "oof": lesions(50)}
    found = measurement.evaluate(sets, CALIBRATOR, params(), sampling())[0]
    assert found["sets"]["holdout"]["ranking"]["auc"] == {"value": 1.0, "low": None, "high": None}


# === What is read ===


def test_what_is_read_is_what_is_grouped_by_and_the_baseline():
    present = ["target", "sex", "isic_id", "patient_id", "diameter", "tbp_lv_A", "attribution"]
    found = measurement.columns(present, params())
    assert found == ["isic_id", "sex", "attribution", "diameter"]
    assert measurement.columns(["isic_id"], params(baseline=None)) == ["isic_id"]


def test_a_baseline_that_is_no_column_is_refused_by_name():
    with pytest.raises(InputError, match=r"evaluate\.baseline must.*'diameter'.*mean 'diametre'"):
        measurement.columns(["isic_id", "diametre"], params())


def test_scores_are_joined_to_their_lesions_in_their_own_order():
    table = lesions(0)
    scored, known = table[["isic_id", "score"]], table[["isic_id", "sex"]]
    found = measurement.joined(scored, known.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(found, table[["isic_id", "score", "sex"]])


def test_a_scored_lesion_without_metadata_is_refused_by_name():
    table = lesions(0)
    with pytest.raises(InputError, match="ISIC_0000007 is absent"):
        measurement.joined(table, table[["isic_id", "sex"]].drop(index=[7, 9]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_bins": 1},
        {"n_curve_points": 9},
        {"specificities": []},
        {"sensitivities": [1.0]},
        {"top_k": 0},
        {"cost_ratio": 0},
        {"cost_ratio": -20.0},
        {"min_positives": 0},
        {"patient_folds": "main"},
        {"patient_folds": "calibrated/oof.csv"},
        {"patient_folds": "ABCDEF0"},
    ],
    ids=str,
)
def test_a_param_out_of_range_is_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        params(**wrong)


def test_the_block_measure_refuses_what_makes_no_interval():
    for wrong in ({"min_tpr": 1.0}, {"n_resamples": 1}, {"confidence": 1.0}, {"seed": -1}):
        with pytest.raises(ValidationError, match=next(iter(wrong))):
            bootstrap.Params(**sampling().model_dump() | wrong)
