"""Intervals by a bootstrap over patients.

A resample gives each patient a count. Whatever is a sum over lesions is then a sum over patients
of what each one brings, times their count, so no lesion is looked at twice.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import Field

from skinlesion.errors import InputError
from skinlesion.params import Block

__all__ = ["UNDEFINED", "Interval", "Params", "Resamples", "draw", "interval", "share", "totals"]

Interval = dict[str, float | None]  # value, low and high; None where it is not defined

UNDEFINED: Interval = {"value": None, "low": None, "high": None}
N_CELLS = 4_000_000  # of a patient-by-resample table held at a time
MAX_UNDEFINED = 0.1  # share of resamples in which a quantity may be undefined


class Params(Block):
    """Block `measure`: which pAUC is measured, and how sure that is."""

    min_tpr: float = Field(ge=0, lt=1)
    n_resamples: int = Field(ge=20, le=100_000)
    confidence: float = Field(gt=0, lt=1)
    seed: int = Field(ge=0)


@dataclass(frozen=True)
class Resamples:
    """How often each resample holds each patient. The first one is the patients as they are."""

    patients: pd.Index  # sorted
    counts: np.ndarray  # shape (1 + n_resamples, n_patients), uint8
    confidence: float

    def codes(self, lesions: pd.DataFrame) -> np.ndarray:
        """Look up the patients of lesions.

        Args:
            lesions: patient_id, one row per lesion; all of them patients of the resamples.

        Returns:
            Shape (n_lesions,), indices into `patients`.
        """
        codes = self.patients.get_indexer(pd.Index(lesions["patient_id"]))
        if (codes < 0).any():
            raise ValueError("each lesion must be of a patient that was resampled.")
        return codes


def draw(lesions: pd.DataFrame, p: Params) -> Resamples:
    """Resample patients with replacement, those with and those without a malignancy apart.

    Args:
        lesions: patient_id and target, one row per lesion. Their order is irrelevant.
        p: The block `measure`.

    Returns:
        The resamples. Each has as many patients with a malignancy as there are, and as many
        without.

    Raises:
        InputError: There is no lesion of one of the classes.

    Source:
        Davison and Hinkley (1997), Bootstrap Methods and their Application, 3.2 and 3.8.
    """
    if set(lesions["target"].unique()) != {0, 1}:
        raise InputError("the lesions to evaluate must be of both classes.")
    malignant = lesions.groupby("patient_id")["target"].max()  # sorted by patient_id
    counts = np.zeros((1 + p.n_resamples, len(malignant)), np.uint8)
    counts[0] = 1
    rng = np.random.default_rng(p.seed)
    for stratum in (0, 1):
        members = np.flatnonzero(malignant.to_numpy() == stratum)
        for row in counts[1:] if len(members) else []:
            drawn = rng.integers(len(members), size=len(members))
            row[members] = np.bincount(drawn, minlength=len(members))
    return Resamples(malignant.index, counts, p.confidence)


def totals(values: np.ndarray, lesions: pd.DataFrame, resamples: Resamples) -> np.ndarray:
    """Sum values over the lesions of every resample.

    Args:
        values: Shape (n_values, n_lesions).
        lesions: patient_id, one row per lesion.
        resamples: From `draw`.

    Returns:
        Shape (n_values, 1 + n_resamples), the sums over the lesions as they are first.
    """
    codes, n = resamples.codes(lesions), len(resamples.patients)
    of_patients = np.stack([np.bincount(codes, v, minlength=n) for v in values])
    step = max(1, N_CELLS // n)
    parts = [
        of_patients @ resamples.counts[i : i + step].T.astype(np.float64)
        for i in range(0, len(resamples.counts), step)
    ]
    return np.hstack(parts)


def interval(values: np.ndarray, confidence: float) -> Interval:
    """Take the percentile interval of a quantity.

    Args:
        values: Shape (1 + n_resamples,), that of the lesions as they are first; NaN where the
            quantity is not defined.
        confidence: In (0, 1).

    Returns:
        value, low and high, to 6 decimals. The limits are None where more than a tenth of the
        resamples leave the quantity undefined; all are None where the lesions do.
    """
    value, drawn = values[0], values[1:]
    if not np.isfinite(value):
        return dict(UNDEFINED)
    known = drawn[np.isfinite(drawn)]
    if len(known) < (1 - MAX_UNDEFINED) * len(drawn) or not len(drawn):
        return {"value": round(float(value), 6), "low": None, "high": None}
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return {
        "value": round(float(value), 6),
        "low": round(float(low), 6),
        "high": round(float(high), 6),
    }


def share(values: np.ndarray, confidence: float, *, n_patients: int) -> Interval:
    """Take the interval of a share, such as a sensitivity.

    Where the lesions give a share of exactly 0 or 1, every resample does, and the percentiles
    would claim certainty. The exact limit of so many independent patients is given instead.

    Args:
        values: Shape (1 + n_resamples,), in [0, 1], as for `interval`.
        confidence: In (0, 1).
        n_patients: Who have lesions that the share is of.

    Returns:
        As `interval`.

    Source:
        Clopper and Pearson (1934), https://doi.org/10.1093/biomet/26.4.404
    """
    found = interval(values, confidence)
    if found["value"] not in (0.0, 1.0):
        return found
    limit = round(float(((1 - confidence) / 2) ** (1 / n_patients)), 6)
    if found["value"] == 1:
        return {"value": 1.0, "low": limit, "high": 1.0}
    return {"value": 0.0, "low": 0.0, "high": round(1 - limit, 6)}
