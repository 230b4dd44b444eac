"""evaluation.bootstrap: patients are resampled, strata kept, and sums are of what was drawn."""

import numpy as np
import pytest
from scipy.stats import binomtest
from tests.resampling import drawn, lesions, params, written_out

from skinlesion.errors import InputError
from skinlesion.evaluation import bootstrap

SEEDS = pytest.mark.parametrize("seed", range(6))


# === Resamples ===


@SEEDS
def test_a_resample_has_as_many_patients_with_and_without_a_malignancy_as_there_are(seed):
    table = lesions(seed)
    resamples = drawn(table)
    malignant = table.groupby("patient_id")["target"].max()
    for stratum in (0, 1):
        in_stratum = resamples.counts[:, malignant.loc[resamples.patients] == stratum]
        assert (in_stratum.sum(1) == (malignant == stratum).sum()).all()
    assert (resamples.counts[0] == 1).all()
    assert (resamples.counts[1:] > 1).any()


def test_another_seed_draws_other_resamples_and_the_same_seed_the_same():
    table = lesions(0)
    assert (drawn(table).counts == drawn(table).counts).all()
    assert (drawn(table, seed=2).counts != drawn(table).counts).any()


def test_lesions_of_one_class_are_refused():
    with pytest.raises(InputError, match="both classes"):
        drawn(lesions(0).assign(target=0))


@SEEDS
def test_totals_are_sums_over_the_lesions_of_each_resample(seed):
    table = lesions(seed)
    resamples = drawn(table)
    found = bootstrap.totals(table[["target", "score"]].to_numpy().T, table, resamples)
    for row in (0, 1, 50):
        expected = written_out(table, resamples, row)[["target", "score"]].sum()
        assert found[:, row] == pytest.approx(expected.to_numpy())


def test_totals_taken_in_pieces_are_the_same_to_the_bit(monkeypatch):
    table = lesions(0)
    whole = bootstrap.totals(table[["target"]].to_numpy().T, table, drawn(table))
    monkeypatch.setattr(bootstrap, "N_CELLS", 700)

    pieces = bootstrap.totals(table[["target"]].to_numpy().T, table, drawn(table))
    np.testing.assert_array_equal(pieces, whole)


# === Intervals ===


def test_an_interval_is_of_percentiles_and_its_value_is_not_one_of_the_resamples():
    found = bootstrap.interval(np.concatenate([[500.0], np.arange(1001)]), 0.9)
    assert found == {"value": 500.0, "low": 50.0, "high": 950.0}


@pytest.mark.parametrize(("n_undefined", "known"), [(0, True), (100, True), (101, False)])
def test_an_interval_is_undefined_where_too_many_resamples_are(n_undefined, known):
    values = np.concatenate([[0.5], np.full(n_undefined, np.nan), np.ones(1000 - n_undefined)])
    assert (bootstrap.interval(values, 0.95)["low"] is not None) == known


def test_a_quantity_that_the_lesions_leave_undefined_has_no_value():
    none = {"value": None, "low": None, "high": None}
    assert bootstrap.interval(np.array([np.nan, 1.0, 1.0]), 0.95) == none


def test_an_infinite_limit_is_no_limit_and_is_not_left_out():
    values = np.concatenate([[11.0], np.arange(5, 101), [np.inf] * 4])
    found = bootstrap.interval(values, 0.95)
    assert found["value"] == 11
    assert found["low"] == pytest.approx(7.475)
    assert found["high"] is None


# === Shares and areas ===


@pytest.mark.parametrize("n_found", range(31))
def test_a_share_is_never_surer_than_so_many_patients_near_the_ends(n_found):
    n, value = 30, n_found / 30
    found = bootstrap.share(np.full(101, value), 0.95, n_patients=n)
    exact = binomtest(n_found, n).proportion_ci(0.95)
    if min(n_found, n - n_found) < bootstrap.FEW:
        assert found["low"] == pytest.approx(exact.low, abs=1e-5)
        assert found["high"] == pytest.approx(exact.high, abs=1e-5)
    else:
        assert found["low"] == found["high"] == pytest.approx(value, abs=1e-5)


def test_a_wide_interval_of_a_share_stays_as_wide():
    values = np.concatenate([[0.95], np.linspace(0.1, 1, 1001)])
    found = bootstrap.share(values, 0.95, n_patients=40)
    assert found["low"] == pytest.approx(0.1225, abs=1e-3)


def test_an_interval_is_widened_and_never_narrowed():
    found = {"value": 3.0, "low": 2.0, "high": 5.0}
    assert bootstrap.widened(found, 1.0, 4.0) == {"value": 3.0, "low": 1.0, "high": 5.0}
    assert bootstrap.widened(found, 2.5, 6.0) == {"value": 3.0, "low": 2.0, "high": 6.0}
    assert bootstrap.widened(found, np.nan, np.nan) == found
    assert bootstrap.widened({**found, "low": None}, 1.0, np.nan)["low"] == 1.0
    assert bootstrap.widened(dict(bootstrap.UNDEFINED), 1.0, 2.0) == bootstrap.UNDEFINED


def test_a_share_of_nobody_is_undefined():
    assert bootstrap.share(np.full(5, np.nan), 0.95, n_patients=0)["value"] is None


def test_an_area_that_never_varies_has_no_limits():
    assert bootstrap.area(np.ones(50), 0.95) == {"value": 1.0, "low": None, "high": None}
    assert bootstrap.area(np.linspace(0, 1, 50), 0.95)["low"] is not None


# === Not stratified ===


def test_without_strata_the_number_of_patients_with_a_malignancy_varies():
    table = lesions(0)
    malignant = table.groupby("patient_id")["target"].max().to_numpy() == 1
    counts = bootstrap.draw(table, params(), stratified=False).counts
    assert (counts.sum(1) == len(malignant)).all()
    assert counts[:, malignant].sum(1).std() > 1


def test_resamples_of_some_patients_are_the_same_resamples():
    table = lesions(0)
    some, resamples = table[table["patient_id"] < "IP_020"], drawn(table)
    found = resamples.of(some)
    expected = resamples.counts[:, resamples.patients < "IP_020"]
    np.testing.assert_array_equal(found.counts, expected)
    assert found.patients.tolist() == sorted(some["patient_id"].unique())
