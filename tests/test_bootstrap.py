"""skinlesion.bootstrap: patients are resampled, strata kept, and sums are of what was drawn."""

import numpy as np
import pytest
from tests.resampling import drawn, lesions, written_out

from skinlesion import bootstrap
from skinlesion.errors import InputError

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
