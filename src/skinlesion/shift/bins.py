"""The values of one column in bins: what training lesions had, without any lesion's own value."""

import math
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from skinlesion.dataset import categories
from skinlesion.params import Block
from skinlesion.shift import chance
from skinlesion.shift.chance import Chance, Sizes

__all__ = ["Categories", "Numbers", "fit_categories", "fit_numbers", "psi", "smoothed", "squares"]

N_BINS = 10  # of numbers, equally many training lesions each; what is missing is one more
USUAL = (0.005, 0.995)  # quantiles between which a value is usual
MIN_PATIENTS = 5  # of a category that is kept by its name
LEAST = 0.01  # share of a bin, below which squared differences get no more weight
N_DIGITS = 4  # of an edge: rounded, it is no lesion's own value
HALF = 0.5  # lesion added to each bin, so that none is empty


class _Column(Block):
    shares: list[float]  # of training lesions by bin, the missing ones last
    sizes: Sizes
    chance: Chance

    @property
    def missing(self) -> float:
        """The share of training lesions without a value."""
        return self.shares[-1]


class Numbers(_Column):
    """A column of numbers."""

    kind: Literal["numbers"] = "numbers"
    edges: list[float]  # a bin begins at an edge and ends before the next; the outer ones are open
    usual: tuple[float, float] | None  # None: no training lesion has a value

    def codes(self, column: pd.Series) -> np.ndarray:
        """Find the bin of each value.

        Args:
            column: What is no number counts as missing.

        Returns:
            Shape (n_lesions,), indices of `shares`.
        """
        values = as_numbers(column)
        return np.where(
            np.isnan(values), len(self.shares) - 1, np.searchsorted(self.edges, values, "right")
        )


class Categories(_Column):
    """A column of categories: those of enough patients, then all others, then missing."""

    kind: Literal["categories"] = "categories"
    names: list[str]  # canonical: without case and needless spaces
    patients: list[float] = Field(min_length=0)  # share of the patients who have it, by name

    def codes(self, column: pd.Series) -> np.ndarray:
        """Find the bin of each category.

        Args:
            column: Texts, numbers or truth values.

        Returns:
            Shape (n_lesions,), indices of `shares`.
        """
        keys = categories.canonical(column)
        found = pd.Index(self.names, dtype=object).get_indexer(pd.Index(keys, dtype=object))
        found = np.where(found < 0, len(self.names), found)
        return np.where(keys.isna().to_numpy(bool), len(self.names) + 1, found)


def as_numbers(column: pd.Series) -> np.ndarray:
    """Read a column as numbers.

    Args:
        column: Anything.

    Returns:
        Shape (n_lesions,), float64; NaN where it is no number, or infinite.
    """
    values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def fit_numbers(column: pd.Series, patients: np.ndarray) -> Numbers:
    """Summarise a column of numbers.

    Args:
        column: Of the training lesions.
        patients: Shape (n_lesions,), the number from 0 of the patient of each.
    """
    values = as_numbers(column)
    known, edges, usual = values[~np.isnan(values)], np.empty(0), None
    if len(known):
        cuts = np.quantile(known, np.arange(1, N_BINS) / N_BINS, method="lower")
        edges = np.unique([_rounded(cut) for cut in cuts])
        edges = edges[edges > known.min()]
        low, high = np.quantile(known, USUAL)
        usual = (_outward(low, -1), _outward(high, 1))
    codes = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, "right"))
    found = _counted(codes, patients, len(edges) + 2)
    return Numbers(edges=edges.tolist(), usual=usual, **found)


def fit_categories(column: pd.Series, patients: np.ndarray) -> Categories:
    """Summarise a column of categories.

    Args:
        column: Of the training lesions.
        patients: Shape (n_lesions,), the number from 0 of the patient of each.
    """
    keys = categories.canonical(column)
    of_patients = pd.DataFrame({"key": keys, "patient": patients}).dropna().groupby("key")
    n_patients = of_patients["patient"].nunique().sort_index()
    kept = n_patients[n_patients >= min(MIN_PATIENTS, len(np.unique(patients)))]
    names = [str(name) for name in kept.index]
    found = pd.Index(names, dtype=object).get_indexer(pd.Index(keys, dtype=object))
    found = np.where(found < 0, len(names), found)
    codes = np.where(keys.isna().to_numpy(bool), len(names) + 1, found)
    shares = (kept / len(np.unique(patients))).tolist() if len(kept) else []
    return Categories(names=names, patients=shares, **_counted(codes, patients, len(names) + 2))


def psi(here: np.ndarray, there: np.ndarray) -> float:
    """Return the population stability index of two distributions.

    It is the sum over bins of (p - q) ln(p / q): the symmetric Kullback-Leibler divergence. The
    usual reading: below 0.1 the two are alike, from 0.25 on they differ much.

    Args:
        here: Shares p by bin, all above 0.
        there: Shares q by bin, all above 0.

    Source:
        Siddiqi (2006), Credit Risk Scorecards; Jeffreys (1946),
        https://doi.org/10.1098/rspa.1946.0056
    """
    return float(((here - there) * np.log(here / there)).sum())


def smoothed(counts: np.ndarray) -> np.ndarray:
    """Turn counts into shares, each bin with half a lesion more, so that none is 0.

    Args:
        counts: Lesions by bin.
    """
    return np.asarray((counts + HALF) / (counts.sum() + HALF * len(counts)))


def squares(here: np.ndarray, there: np.ndarray) -> float:
    """Return what is compared with chance: squared differences of shares, as chi-squared sums them.

    Args:
        here: Shares by bin.
        there: Shares by bin, which weigh the squares.
    """
    return float(((here - there) ** 2 / np.maximum(there, LEAST)).sum())


def _counted(codes: np.ndarray, patients: np.ndarray, n_bins: int) -> dict[str, Any]:
    counts = np.bincount(codes, minlength=n_bins).astype(np.float64)
    shares = counts / max(1, len(codes))
    n_patients = int(patients.max()) + 1 if len(patients) else 0
    of_patients = np.bincount(patients * n_bins + codes, minlength=n_patients * n_bins)
    of_patients = of_patients.reshape(n_patients, n_bins).astype(np.float64)
    of_patients = of_patients[of_patients.sum(1) > 0]
    weight = 1 / np.sqrt(np.maximum(shares, LEAST))
    found = chance.fit(np.diag(counts * weight**2), of_patients * weight, of_patients.sum(1))
    return {
        "shares": [float(f"{share:.6g}") for share in shares],
        "sizes": chance.sizes(patients),
        "chance": found,
    }


def _outward(value: float, sign: int) -> float:
    """Round so that the value stays inside: one column may vary in later digits only."""
    rounded = _rounded(value)
    if sign * (rounded - value) < 0:
        rounded += sign * 10.0 ** (math.floor(math.log10(abs(value))) + 1 - N_DIGITS)
    return _rounded(rounded)


def _rounded(value: float) -> float:
    return float(f"{value:.{N_DIGITS}g}")
