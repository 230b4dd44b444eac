"""Numbers relative to a group of lesions: those of the patient, or of the patient at a site.

A group's numbers are functions of its own lesions alone, to the bit: sums run over them in the
order of their isic_id, whatever stands beside them in the table.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from skinlesion.dataset import categories

__all__ = ["EPSILON", "GROUPS", "Groups", "Outlying", "Statistic", "group", "statistics"]

Statistic = Literal["z", "rank", "position", "count", "area", "outlying"]
# The columns that the lesions of a group share.
GROUPS = {
    "patient": ("patient_id",),
    "patient_site": ("patient_id", "anatom_site_general"),
    "patient_location": ("patient_id", "tbp_lv_location"),
}
EPSILON = 1e-5  # added to a standard deviation, so that a group without spread has z = 0
PATIENT = "patient_id"  # its spelling is that of the file: stage `check` refuses two of one
FAR = 2.0  # the |z| from which on a number counts as outlying


@dataclass(frozen=True)
class Groups:
    """Lesions sorted by their group, and within it by isic_id. Lesions of no group are left out."""

    n_lesions: int  # of the table
    rows: np.ndarray  # shape (n_grouped,), the row in the table of each
    code: np.ndarray  # shape (n_grouped,), the number of its group, rising from 0
    starts: np.ndarray  # shape (n_groups,), where each group begins

    @property
    def n(self) -> np.ndarray:
        """Lesions of each group, shape (n_groups,)."""
        return np.diff(self.starts, append=len(self.rows))

    def total(self, values: np.ndarray) -> np.ndarray:
        """Sum over each group.

        Args:
            values: Shape (n_grouped,), finite.

        Returns:
            Shape (n_groups,). One after the other, which is what keeps the bits.
        """
        return np.bincount(self.code, values, minlength=len(self.starts))

    def spread_out(self, values: np.ndarray) -> np.ndarray:
        """Put values back to where their lesions are in the table.

        Args:
            values: Shape (n_grouped,).

        Returns:
            Shape (n_lesions,), float32; NaN for lesions of no group.
        """
        found = np.full(self.n_lesions, np.nan, np.float32)
        found[self.rows] = values
        return found


def group(lesions: pd.DataFrame, columns: tuple[str, ...], *, min_lesions: int) -> Groups:
    """Group lesions.

    Args:
        lesions: isic_id and maybe `columns`, one row per lesion, in any order.
        columns: What the lesions of a group share. A lesion where one of them is missing has no
            group, nor has any where the table lacks one.
        min_lesions: A smaller group counts as none: its lesions have no relative numbers.
    """
    n, codes = len(lesions), np.zeros(len(lesions), np.int64)
    for name in columns:
        column = lesions[name] if name in lesions else pd.Series([None] * n)
        code, values = pd.factorize(column if name == PATIENT else categories.canonical(column))
        codes = np.where((code < 0) | (codes < 0), -1, codes * (len(values) + 1) + code)
    grouped = np.flatnonzero(codes >= 0)
    by_name = np.lexsort([lesions["isic_id"].to_numpy(str)[grouped], codes[grouped]])
    rows = grouped[by_name]
    _, inverse, n_each = np.unique(codes[rows], return_inverse=True, return_counts=True)
    rows = rows[n_each[inverse] >= min_lesions]
    _, starts, code = np.unique(codes[rows], return_index=True, return_inverse=True)
    return Groups(n, rows, code, starts)


@dataclass
class Outlying:
    """How far a lesion's numbers lie from those of its group, over all numbers."""

    n: np.ndarray
    n_far: np.ndarray
    largest: np.ndarray
    total: np.ndarray
    squares: np.ndarray

    @classmethod
    def none(cls, n_lesions: int) -> "Outlying":
        """Start before the first number."""
        return cls(*(np.zeros(n_lesions) for _ in range(5)))

    def add(self, z: np.ndarray) -> None:
        """Count one more number.

        Args:
            z: Shape (n_lesions,); NaN where it is missing.
        """
        known = np.where(np.isnan(z), 0.0, z.astype(np.float64))
        self.n += ~np.isnan(z)
        self.n_far += np.abs(known) > FAR
        np.maximum(self.largest, np.abs(known), out=self.largest)
        self.total += known
        self.squares += known**2

    def numbers(self) -> dict[str, np.ndarray]:
        """Say how many |z| are above 2, the largest |z|, and the standard deviation of z."""
        some = np.where(self.n > 0, self.n, np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = (self.squares - self.total**2 / some) / (some - 1)
            sd = np.where(some > 1, np.sqrt(np.maximum(variance, 0)), np.nan)
        found = {"n_outlying": self.n_far, "largest_z": self.largest, "sd_of_z": sd}
        return {k: np.where(self.n > 0, v, np.nan).astype(np.float32) for k, v in found.items()}


def statistics(
    values: np.ndarray, groups: Groups, wanted: list[Statistic]
) -> dict[Statistic, np.ndarray]:
    """Compute a number relative to its group.

    Args:
        values: Shape (n_lesions,), float64; NaN where missing, never infinite.
        groups: From `group`.
        wanted: Of "z", "rank" and "position"; others are not of one number.

    Returns:
        By statistic, shape (n_lesions,), float32, in the order of the table: z, (value - mean) /
        (sample standard deviation + 1e-5); rank, in (0, 1), ties averaged; position between the
        smallest and the largest, in [0, 1]. NaN where the value is missing, or is the only one of
        its group. Where all are equal they are 0, 1/2 and 1/2.
    """
    x = values[groups.rows]
    known = ~np.isnan(x)
    n = groups.total(known.astype(np.float64))
    makers = {"z": _z, "rank": _rank, "position": _position}
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        found = {s: make(x, known, n, groups) for s, make in makers.items() if s in wanted}
    alone = n[groups.code] < 2
    return {s: groups.spread_out(np.where(alone, np.nan, f)) for s, f in found.items()}


def _z(x: np.ndarray, known: np.ndarray, n: np.ndarray, groups: Groups) -> np.ndarray:
    mean = groups.total(np.where(known, x, 0.0)) / n
    off = x - mean[groups.code]
    sd = np.sqrt(groups.total(np.where(known, off * off, 0.0)) / (n - 1))
    low, high = _range(x, groups)
    # The mean of equal numbers is not quite that number.
    z = np.where((low == high)[groups.code], 0.0, off / (sd[groups.code] + EPSILON))
    return np.where(known, z, np.nan)


def _position(x: np.ndarray, known: np.ndarray, n: np.ndarray, groups: Groups) -> np.ndarray:
    low, high = (limit[groups.code] for limit in _range(x, groups))
    return np.asarray(np.where(low == high, x * 0 + 0.5, (x - low) / (high - low)))


def _rank(x: np.ndarray, known: np.ndarray, n: np.ndarray, groups: Groups) -> np.ndarray:
    order = np.lexsort([x, groups.code])  # what is missing stands last in its group
    value, code = x[order], groups.code[order]
    begins = np.ones(len(x) + 1, bool)  # of runs of equal numbers
    begins[1:-1] = (code[1:] != code[:-1]) | (value[1:] != value[:-1])
    edges = np.flatnonzero(begins)
    run = np.cumsum(begins[:-1]) - 1
    middle = (edges[run] + edges[run + 1]) / 2 - groups.starts[code]
    found = np.empty(len(x))
    found[order] = middle / n[code]
    return np.asarray(np.where(known, found, np.nan))


def _range(x: np.ndarray, groups: Groups) -> tuple[np.ndarray, np.ndarray]:
    if not len(groups.starts):
        return np.empty(0), np.empty(0)
    return np.fmin.reduceat(x, groups.starts), np.fmax.reduceat(x, groups.starts)
