"""shift.tally: lesions are counted piece by piece, to the same counts."""

import numpy as np
import pandas as pd
import pytest
from tests import shifts

from skinlesion.shift import chance, image, profile, tally


@pytest.fixture(scope="module")
def known():
    return shifts.profiled(shifts.drawn(120, 0))


@pytest.mark.parametrize("n_at_a_time", [1, 7, 10_000])
def test_counts_do_not_depend_on_how_many_come_at_a_time(known, n_at_a_time):
    lesions = shifts.drawn(12, 1)
    found = tally.Tally(known.columns)
    for i in range(0, len(lesions), n_at_a_time):
        found.add(lesions[i : i + n_at_a_time])
    whole = shifts.counted(known, lesions)

    assert {k: v.tolist() for k, v in found.counts.items()} == {
        k: v.tolist() for k, v in whole.counts.items()
    }
    patients = profile.numbered(lesions["patient_id"])
    assert found.sizes(known.sizes) == chance.sizes(patients)


def test_training_lesions_have_the_shares_of_the_profile(known):
    found = shifts.counted(known, shifts.drawn(120, 0))
    for name, column in known.columns.items():
        counts = found.counts[name]
        np.testing.assert_allclose(counts / counts.sum(), column.shares, atol=1e-6)


def test_a_column_that_the_table_lacks_is_not_counted(known):
    found = shifts.counted(known, shifts.drawn(5, 2).drop(columns=["age", "patient_id"]))

    assert "age" not in found.counts
    assert found.sizes(known.sizes) == known.sizes.spread_as(found.n_lesions)


def test_new_categories_are_counted_by_name(known):
    lesions = shifts.drawn(5, 2).assign(site="Fin")
    found = shifts.counted(known, lesions)

    assert found.others["site"] == {"fin": len(lesions)}
    assert not found.others["sex"]


def test_image_features_are_counted_by_distance_and_unread_tiles_left_out():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 5))
    of = image.fit(x, np.arange(400) // 8, fold=0)
    y = rng.normal(size=(50, 5))
    y[7], y[8] = np.nan, 100
    found = tally.Images.none(of)
    found.add(y[:20])
    found.add(y[20:])
    known = image.distance(np.delete(of.standardised(y), 7, axis=0))

    assert (found.n_lesions, found.n_far, found.counts.sum()) == (49, 1, 49)
    np.testing.assert_array_equal(
        found.counts, np.bincount(of.distances.codes(pd.Series(known)), minlength=len(found.counts))
    )
    np.testing.assert_allclose(found.total, np.nansum(of.standardised(y), axis=0))
