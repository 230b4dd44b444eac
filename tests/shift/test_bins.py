"""shift.bins: the values of a column in bins, and how far two distributions are apart."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, entropy

from skinlesion.shift import bins


def alone(values: list) -> np.ndarray:
    return np.arange(len(values))


def numbers(values: list[float]) -> bins.Numbers:
    return bins.fit_numbers(pd.Series(values, dtype=float), alone(values))


def test_the_index_is_the_one_computed_by_hand():
    here, there = np.array([0.5, 0.3, 0.2]), np.array([0.25, 0.25, 0.5])
    by_hand = 0.25 * np.log(2) + 0.05 * np.log(1.2) + 0.3 * np.log(2.5)

    assert bins.psi(here, there) == pytest.approx(by_hand)
    assert bins.psi(here, there) == pytest.approx(entropy(here, there) + entropy(there, here))
    assert bins.psi(there, there) == 0


def test_the_squares_are_those_of_the_chi_squared_test():
    here, there = np.array([20, 30, 50]), np.array([250_000, 250_000, 500_000])
    expected = chi2_contingency([here, there], correction=False).statistic
    shares = [counts / counts.sum() for counts in (here, there)]

    assert bins.squares(*shares) * here.sum() == pytest.approx(expected, rel=1e-3)


def test_shares_are_never_zero_and_sum_to_one():
    found = bins.smoothed(np.array([0, 7, 3]))

    assert found.tolist() == [0.5 / 11.5, 7.5 / 11.5, 3.5 / 11.5]


def test_numbers_lie_in_tenths_with_the_missing_ones_apart():
    values = [*np.linspace(0.05, 99.95, 1000), *[np.nan] * 250]
    found = numbers(values)

    assert len(found.edges) == 9
    np.testing.assert_allclose(found.shares, [0.08] * 10 + [0.2], atol=2e-3)
    assert found.missing == 0.2
    assert found.usual == pytest.approx((0.55, 99.45), abs=0.02)
    codes = found.codes(pd.Series([-5, 15.0, 1e6, None, np.inf, "text"], dtype=object))
    assert codes.tolist() == [0, 1, 9, 10, 10, 10]


@pytest.mark.parametrize("values", [[7.0] * 30, [0.0] * 25 + [1.0] * 5, [np.nan] * 4, []])
def test_a_column_of_few_values_has_no_empty_bin(values):
    found = numbers(values)

    assert all(share > 0 for share in found.shares[:-1]) or not any(pd.notna(values))
    counts = np.bincount(found.codes(pd.Series(values, dtype=float)), minlength=len(found.shares))
    np.testing.assert_allclose(counts / max(1, len(values)), found.shares, atol=1e-6)


def test_no_edge_tells_a_lesions_own_value():
    values = np.random.default_rng(0).lognormal(size=5000)
    found = numbers(values.tolist())

    assert not set(found.edges) & set(values)
    assert values.min() < found.edges[0] < found.edges[-1] < values.max()


def test_a_category_of_few_patients_is_not_named():
    column = pd.Series(["Arm "] * 20 + ["leg"] * 8 + ["tail"] * 50 + [None] * 2)
    patients = np.r_[np.arange(28), np.full(50, 30), [31, 32]]
    found = bins.fit_categories(column, patients)

    assert found.names == ["arm", "leg"]
    assert found.shares == [0.25, 0.1, 0.625, 0.025]
    assert found.patients == pytest.approx([20 / 31, 8 / 31])
    assert found.codes(pd.Series(["ARM", "tail", "fin", None])).tolist() == [0, 2, 2, 3]


@pytest.mark.parametrize("value", [0.123456, -0.123456, 99.99951, 1e-7, 0.0, 5.0])
def test_a_column_of_one_value_holds_it_as_usual(value):
    low, high = numbers([value] * 20).usual

    assert low <= value <= high
    assert high - low <= 2e-3 * abs(value)
