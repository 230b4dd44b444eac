"""Intervals by a bootstrap over patients.

A resample gives each patient a count. Whatever is a sum over lesions is then a sum over patients
of what each one brings, times their count, so no lesion is looked at twice.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import Field
from scipy.stats import beta

from skinlesion.errors import InputError
from skinlesion.params import Block

__all__ = [
    "UNDEFINED",
    "Both",
    "Interval",
    "Params",
    "Resamples",
    "area",
    "draw",
    "draw_both",
    "interval",
    "share",
    "totals",
    "widened",
]

Interval = dict[str, float | None]  # value, low and high; None where it is not defined

UNDEFINED: Interval = {"value": None, "low": None, "high": None}
N_CELLS = 4_000_000  # of a patient-by-resample table held at a time
MAX_UNDEFINED = 0.1  # share of resamples in which a quantity may be undefined
FEW = 5  # patients on the rarer side of a share, below which percentiles are too sure of it


class Params(Block):
    """Block `measure`: which pAUC is measured, and how its interval is taken."""

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

    def of(self, lesions: pd.DataFrame) -> "Resamples":
        """Return the same resamples, of the patients of some lesions only.

        Args:
            lesions: patient_id, one row per lesion; all of them patients of the resamples.
        """
        present = np.unique(self.codes(lesions))
        if len(present) == len(self.patients):
            return self
        return Resamples(self.patients[present], self.counts[:, present], self.confidence)


@dataclass(frozen=True)
class Both:
    """Resamples of the same patients in both ways: see `draw`."""

    stratified: Resamples  # for what does not depend on the prevalence
    free: Resamples  # for what does

    def of(self, lesions: pd.DataFrame) -> "Both":
        """Return the same resamples, as `Resamples.of`.

        Args:
            lesions: patient_id, one row per lesion.
        """
        return Both(self.stratified.of(lesions), self.free.of(lesions))


def draw_both(lesions: pd.DataFrame, p: Params) -> Both:
    """Resample patients with replacement, in both ways.

    Args:
        lesions: As for `draw`.
        p: The block `measure`.

    Raises:
        InputError: As for `draw`.
    """
    return Both(draw(lesions, p), draw(lesions, p, stratified=False))


def draw(lesions: pd.DataFrame, p: Params, *, stratified: bool = True) -> Resamples:
    """Resample patients with replacement.

    Args:
        lesions: patient_id and target, one row per lesion. Their order is irrelevant.
        p: The block `measure`.
        stratified: Whether patients with and without a malignancy are drawn apart, so that each
            resample has as many of both as there are. That is right for what does not depend on
            the prevalence, such as AUC and sensitivity; for what does, such as precision and
            calibration, it would hold still what another sample of patients moves.

    Returns:
        The resamples.

    Raises:
        InputError: There is no lesion of one of the classes.

    Source:
        Davison and Hinkley (1997), Bootstrap Methods and their Application, 3.2 and 3.8.
    """
    if set(lesions["target"].unique()) != {0, 1}:
        raise InputError("the lesions to evaluate must be of both classes.")
    malignant = lesions.groupby("patient_id")["target"].max()  # sorted by patient_id
    stratum = malignant.to_numpy() if stratified else np.zeros(len(malignant))
    counts = np.zeros((1 + p.n_resamples, len(malignant)), np.uint8)
    counts[0] = 1
    rng = np.random.default_rng(p.seed)
    for which in np.unique(stratum):
        members = np.flatnonzero(stratum == which)
        for row in counts[1:]:
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
    codes, counts = resamples.codes(lesions), resamples.counts
    of_patients = np.stack([np.bincount(codes, v, minlength=counts.shape[1]) for v in values])
    present = np.flatnonzero(of_patients.any(0))
    step = max(1, N_CELLS // max(1, len(present)))
    # Not `@`: after a product as small as this, the threads of BLAS spin for longer than it took.
    parts = [
        np.einsum("vp,rp->vr", of_patients[:, present], counts[i : i + step, present])
        for i in range(0, len(counts), step)
    ]
    return np.hstack(parts)


def interval(values: np.ndarray, confidence: float) -> Interval:
    """Return the percentile interval of a quantity.

    Args:
        values: Shape (1 + n_resamples,), that of the lesions as they are first; NaN where the
            quantity is not defined, infinite where it is without bound.
        confidence: In (0, 1).

    Returns:
        value, low and high, to 6 significant digits. Both limits are None where more than a tenth
        of the resamples leave the quantity undefined, and one where it is infinite; all are None
        where the lesions leave it so.
    """
    known = values[1:][~np.isnan(values[1:])]
    if len(known) < (1 - MAX_UNDEFINED) * (len(values) - 1) or not len(known):
        return _rounded(values[0], np.nan, np.nan)
    with np.errstate(invalid="ignore"):  # between two infinities
        low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return _rounded(values[0], low, high)


def share(values: np.ndarray, confidence: float, *, n_patients: int) -> Interval:
    """Return the interval of a proportion, such as a sensitivity.

    Near 0 and 1 the percentiles are too sure, and at 0 and 1 they claim certainty: what no
    patient shows, no resample does. Where fewer than FEW patients' worth is on the rarer side, the
    interval is widened to the exact one of so many independent patients.

    Args:
        values: Shape (1 + n_resamples,), in [0, 1], as for `interval`.
        confidence: In (0, 1).
        n_patients: Who have lesions that the share is of.

    Returns:
        As `interval`.

    Source:
        Clopper and Pearson (1934), https://doi.org/10.1093/biomet/26.4.404
    """
    found, value = interval(values, confidence), values[0]
    if np.isnan(value) or min(value, 1 - value) * n_patients > FEW - 1e-9:
        return found
    n_found, tail = value * n_patients, (1 - confidence) / 2
    low = beta.ppf(tail, n_found, n_patients - n_found + 1) if value > 0 else 0.0
    high = beta.isf(tail, n_found + 1, n_patients - n_found) if value < 1 else 1.0
    return widened(found, low, high)


def widened(found: Interval, low: float, high: float) -> Interval:
    """Widen an interval, so that it holds two further limits.

    Args:
        found: Of a quantity that is defined; where it has no limits, it gets these.
        low: What it must reach down to; NaN where that is not known.
        high: What it must reach up to; NaN where that is not known.
    """
    limits = np.array([[found["low"], found["high"]], [low, high]], np.float64)
    return _rounded(found["value"], np.fmin(*limits[:, 0]), np.fmax(*limits[:, 1]))


def area(values: np.ndarray, confidence: float) -> Interval:
    """Return the interval of an area under a curve.

    Args:
        values: Shape (1 + n_resamples,), as for `interval`.
        confidence: In (0, 1).

    Returns:
        As `interval`; without limits where every resample gives the same, as where the order is
        without fault: how rarely it fails elsewhere cannot be known from that.
    """
    found = interval(values, confidence)
    if found["low"] == found["high"]:
        return {**UNDEFINED, "value": found["value"]}
    return found


def _rounded(value: float | None, low: float, high: float) -> Interval:
    if value is None or not np.isfinite(value):
        return dict(UNDEFINED)
    names = {"value": value, "low": low, "high": high}
    return {k: float(f"{v:.6g}") if np.isfinite(v) else None for k, v in names.items()}
