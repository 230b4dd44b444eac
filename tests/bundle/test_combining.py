"""bundle.combining: means over folds, the median for what cannot be read, ranks of each patient."""

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
    reasons = ["" if ok else "?" for ok in np.isfinite(network.mean(0))]
    given = combining.Given(by_member, {}, reasons, [""] * len(patients))
    found = combining.averaged(lesions(patients), given, how)
    return combining.finished(found, how)


def test_the_members_logits_are_weighted_then_calibrated():
    network, table = np.array([[1.0, -2.0], [2.0, 0.0]]), np.array([[-3.0, 1.0], [-1.0, 1.0]])
    found = finished(network, ["P", "P"], combined(network=0.25, table=0.75), table=table)
    mean = 0.25 * network.mean(0) + 0.75 * table.mean(0)

    np.testing.assert_allclose(found["logit"], mean)
    np.testing.assert_allclose(found["probability"], expit(0.5 * mean - 1.0))
    np.testing.assert_allclose(found["network"], expit(network.mean(0)))


def test_uncertainty_adds_the_spreads_of_the_members_by_their_weights():
    network, table = np.array([[1.0], [2.0], [4.0]]), np.array([[0.0], [3.0], [0.0]])
    how = combined(network=0.25, table=0.75)
    spreads = {"network_sd_views": np.array([0.5]), "table_sd_seeds": np.array([0.2])}
    given = combining.Given({"network": network, "table": table}, spreads, [""], [""])
    found = combining.averaged(lesions(["P"]), given, how)["uncertainty"][0]

    of_network = np.var(network, ddof=1) + 0.5**2
    of_table = np.var(table, ddof=1) + 0.2**2
    assert found == pytest.approx(np.sqrt(0.25**2 * of_network + 0.75**2 * of_table))


def test_one_fold_has_no_uncertainty():
    assert np.isnan(finished(np.array([[1.0]]), ["P"], combined(network=1.0))["uncertainty"][0])


def test_an_unreadable_tile_gets_the_median_of_the_others_or_what_the_bundle_says():
    some = finished(np.array([[1.0, np.nan, 3.0, 8.0]]), list("PPPP"), combined(network=1.0))
    none = finished(np.array([[np.nan, np.nan]]), list("PP"), combined(network=1.0))

    assert logit(some["network"][1]) == pytest.approx(3.0)
    np.testing.assert_allclose(logit(none["network"]), -4.0)


def test_ranks_are_the_patients_own_and_lesions_of_nobody_are_alone():
    network = np.array([[1.0, 5.0, 2.0, 9.0, 2.0, 7.0]])
    patients = ["A", "A", "A", None, "B", None]
    found = finished(network, patients, combined(network=1.0))

    assert found["rank"].tolist() == [3, 1, 2, 1, 1, 1]
    assert found["n_lesions"].tolist() == [3, 3, 3, 1, 1, 1]


def test_equal_lesions_share_the_better_rank():
    found = finished(np.array([[2.0, 2.0, 1.0]]), list("AAA"), combined(network=1.0))

    assert found["rank"].tolist() == [1, 1, 3]


def test_the_columns_are_those_promised_whatever_members_there_are():
    found = finished(np.array([[1.0]]), ["P"], combined(network=1.0))

    assert found.columns.tolist() == combining.COLUMNS
    assert np.isnan(found["table"][0])
