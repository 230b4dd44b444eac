"""bundle.combining: members side by side, a median for unreadable tiles, ranks of each patient."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from skinlesion.bundle import combining
from skinlesion.evaluation.calibration import Calibrator
from skinlesion.evaluation.combination import Combination

CALIBRATOR = Calibrator(
    method="platt", reason="", slope=0.5, intercept=-1.0, n_lesions=9, n_positives=3
)


def combined(**weights: float) -> combining.Combined:
    method = "logistic" if len(weights) > 1 else "one"
    return combining.Combined(
        Combination(method=method, weights=weights, ranks={}), CALIBRATOR, -4.0
    )


def lesions(patients: list) -> pd.DataFrame:
    return pd.DataFrame(
        {"isic_id": [f"I{i}" for i in range(len(patients))], "patient_id": patients}
    )


def finished(
    network: np.ndarray, patients: list, how: combining.Combined, **others
) -> pd.DataFrame:
    by_member = {"network": network, **others}
    reasons = ["" if ok else "?" for ok in np.isfinite(network)]
    given = combining.Given(by_member, {}, reasons, [""] * len(patients))
    found = combining.gathered(lesions(patients), given, how)
    return combining.finished(found, how)


def test_the_members_logits_are_weighted_then_calibrated():
    network, table = np.array([1.5, -1.0]), np.array([-2.0, 1.0])
    found = finished(network, ["P", "P"], combined(network=0.25, table=0.75), table=table)
    mean = 0.25 * network + 0.75 * table

    np.testing.assert_allclose(found["logit"], mean)
    np.testing.assert_allclose(found["probability"], expit(0.5 * mean - 1.0))
    np.testing.assert_allclose(found["network"], expit(network))


def test_uncertainty_adds_the_spreads_of_the_members_by_their_weights():
    one, how = np.array([1.0]), combined(network=0.25, table=0.75)
    sds = {"network_sd_folds": 1.5, "network_sd_seeds": 0.3, "network_sd_views": 0.5}
    sds |= {"table_sd_folds": 0.7, "table_sd_seeds": 0.2}
    spreads = {name: np.array([sd]) for name, sd in sds.items()}
    given = combining.Given({"network": one, "table": one}, spreads, [""], [""])
    found = combining.gathered(lesions(["P"]), given, how)["uncertainty"][0]

    of_network = 1.5**2 + 0.3**2 + 0.5**2
    of_table = 0.7**2 + 0.2**2
    assert found == pytest.approx(np.sqrt(0.25**2 * of_network + 0.75**2 * of_table))


def test_one_fold_has_no_uncertainty():
    assert np.isnan(finished(np.array([1.0]), ["P"], combined(network=1.0))["uncertainty"][0])


def test_an_unreadable_tile_gets_the_median_of_the_others_or_what_the_bundle_says():
    some = finished(np.array([1.0, np.nan, 3.0, 8.0]), list("PPPP"), combined(network=1.0))
    none = finished(np.array([np.nan, np.nan]), list("PP"), combined(network=1.0))

    assert logit(some["network"][1]) == pytest.approx(3.0)
    np.testing.assert_allclose(logit(none["network"]), -4.0)


def test_ranks_are_the_patients_own_and_lesions_of_nobody_are_alone():
    network = np.array([1.0, 5.0, 2.0, 9.0, 2.0, 7.0])
    patients = ["A", "A", "A", None, "B", None]
    found = finished(network, patients, combined(network=1.0))

    assert found["rank"].tolist() == [3, 1, 2, 1, 1, 1]
    assert found["n_lesions"].tolist() == [3, 3, 3, 1, 1, 1]


def test_equal_lesions_share_the_better_rank():
    found = finished(np.array([2.0, 2.0, 1.0]), list("AAA"), combined(network=1.0))

    assert found["rank"].tolist() == [1, 1, 3]


def test_the_columns_are_those_promised_whatever_members_there_are():
    found = finished(np.array([1.0]), ["P"], combined(network=1.0))

    assert found.columns.tolist() == combining.COLUMNS
    assert np.isnan(found["table"][0])
