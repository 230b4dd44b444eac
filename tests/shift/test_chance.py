"""shift.chance: how far sets of patients of one kind lie apart, and how often further."""

import numpy as np
import pytest

from skinlesion.shift import chance


def fitted(x: np.ndarray, patients: np.ndarray) -> chance.Chance:
    n = np.bincount(patients)
    sums = np.stack([np.bincount(patients, column) for column in x.T], axis=1)
    return chance.fit(x.T @ x, sums, n.astype(float))


def drawn(rng, n_patients: int, *, between: float) -> tuple[np.ndarray, np.ndarray]:
    """Lesions with three numbers, whose mean differs from patient to patient."""
    n = rng.integers(1, 20, n_patients)
    patients = np.repeat(np.arange(n_patients), n)
    means = rng.normal(0, between, (n_patients, 3))
    return means[patients] + rng.normal(0, 1, (len(patients), 3)), patients


def test_the_covariances_are_those_that_lesions_were_drawn_with():
    found = fitted(*drawn(np.random.default_rng(0), 3000, between=0.5))

    assert found.w == pytest.approx(3, rel=0.03)
    assert found.b == pytest.approx(3 * 0.25, rel=0.1)
    assert (found.ww, found.wb, found.bb) == pytest.approx((3, 0.75, 3 / 16), rel=0.15)


def test_where_each_patient_has_one_lesion_all_spread_is_within():
    x = np.random.default_rng(1).normal(size=(500, 2))
    found = fitted(x, np.arange(500))

    assert found.w == pytest.approx(np.trace(np.cov(x.T)))
    assert found.b == 0


@pytest.mark.parametrize("between", [0.0, 1.0])
@pytest.mark.parametrize("n_patients", [5, 40])
def test_sets_of_one_kind_lie_as_far_apart_as_expected_and_rarely_further(between, n_patients):
    rng = np.random.default_rng(2)
    known = fitted(*drawn(rng, 2000, between=between))
    squares, expected, p_values = [], [], []
    for _ in range(400):
        (x, one), (y, other) = (drawn(rng, n, between=between) for n in (n_patients, 60))
        here, there = chance.sizes(one), chance.sizes(other)
        squares.append(((x.mean(0) - y.mean(0)) ** 2).sum())
        expected.append(known.expected(here, there))
        p_values.append(known.p_value(squares[-1], here, there))

    assert np.mean(squares) == pytest.approx(np.mean(expected), rel=0.15)
    assert 0.005 < np.mean(np.array(p_values) < 0.05) < 0.075
    assert np.mean(np.array(p_values) < 0.001) < 0.006


def test_of_a_single_patient_nothing_is_concluded():
    known = fitted(*drawn(np.random.default_rng(3), 100, between=0.1))
    alone, many = chance.sizes(np.zeros(500, int)), chance.sizes(np.arange(500))

    assert known.p_value(1e9, alone, many) == 1
    assert known.p_value(1e9, many, alone) == 1
    assert known.p_value(1e9, many, many) < 1e-9


def test_patients_are_counted_with_how_unevenly_they_share_the_lesions():
    found = chance.sizes(np.array([3, 3, 3, 0]))

    assert (found.n_lesions, found.n_patients) == (4, 2)
    assert found.crowding == pytest.approx((9 + 1) / 16)


def test_lesions_of_unknown_patients_are_as_crowded_as_the_training_lesions():
    known = chance.Sizes(n_lesions=1000, n_patients=50, crowding=0.02)

    assert known.spread_as(500) == chance.Sizes(n_lesions=500, n_patients=25, crowding=0.04)
    assert known.spread_as(3).crowding == 1
