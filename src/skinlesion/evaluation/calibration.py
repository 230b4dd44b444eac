"""Calibration: Platt scaling, fitted to the scores of patients that the model never saw."""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pydantic import Field
from scipy.special import expit, logit

from skinlesion.evaluation import regression
from skinlesion.params import Block, load_json

__all__ = [
    "Calibrator",
    "Params",
    "fit",
    "load",
    "logits",
    "nested",
    "parts",
    "save",
    "summary",
    "targets",
]

MAX_LOGIT = 36.0  # the float64 next below 1 has a logit of 36.7


class Params(Block):
    """Block `calibrate`: how scores become probabilities."""

    method: Literal["platt", "none"]
    n_parts: int = Field(ge=2)
    seed: int = Field(ge=0)


class Calibrator(Block):
    """probability = expit(slope * logit(score) + intercept). The slope is positive."""

    method: Literal["platt", "none"]
    reason: str  # why scores are left as they are, or ""
    slope: float = Field(gt=0)
    intercept: float
    n_lesions: int
    n_positives: int

    def probability(self, score: ArrayLike) -> np.ndarray:
        """Turn scores into probabilities.

        Args:
            score: Any shape, in [0, 1], on the true prior.

        Returns:
            The same shape, in [0, 1], in the same order (log odds beyond MAX_LOGIT tie); the
            scores themselves where `method` is "none".
        """
        if self.method == "none":
            return np.asarray(score, np.float64)
        return np.asarray(expit(self.slope * logits(score) + self.intercept))


def logits(score: ArrayLike) -> np.ndarray:
    """Turn scores into log odds.

    Args:
        score: Any shape, in [0, 1].

    Returns:
        The same shape, within +- MAX_LOGIT, so that scores of 0 and 1 stay finite.
    """
    with np.errstate(divide="ignore"):
        found = logit(np.asarray(score, np.float64))
    return np.asarray(np.clip(found, -MAX_LOGIT, MAX_LOGIT))


def fit(lesions: pd.DataFrame, p: Params) -> Calibrator:
    """Fit a calibrator.

    Args:
        lesions: patient_id, target and score, one row per lesion, each scored by a model that
            did not learn from its patient.
        p: The block `calibrate`.

    Returns:
        The calibrator. Scores are left as they are, and it says why, where fewer than p.n_parts
        patients have a malignancy, or where risk does not rise with the score.

    Source:
        Platt (1999), Probabilistic Outputs for Support Vector Machines; the targets are his,
        drawn in from 0 and 1, so that a fit exists also where the classes do not overlap.
    """
    n_malignant = lesions.loc[lesions["target"] == 1, "patient_id"].nunique()
    if p.method == "none":
        return _left(lesions, "calibrate.method is none")
    if n_malignant < p.n_parts:
        found = f"{n_malignant} out-of-fold patients have a malignancy"
        return _left(lesions, f"{found}, calibrate.n_parts = {p.n_parts} are needed")
    return _platt(lesions)


def nested(lesions: pd.DataFrame, p: Params) -> np.ndarray:
    """Turn scores into probabilities without any patient calibrating themselves.

    The patients are dealt into p.n_parts parts, those with and those without a malignancy
    apart; each part's calibrator is fitted to the others.

    Args:
        lesions: isic_id, patient_id, target and score, one row per lesion; any order.
        p: The block `calibrate`.

    Returns:
        Shape (n_lesions,), in [0, 1]. Within a part the order is that of the scores; between
        parts it may differ, so rankings are measured on the scores. The scores themselves where
        `fit` leaves them, or where a part's others have no calibrator.
    """
    score = lesions["score"].to_numpy(np.float64)
    if fit(lesions, p).method == "none":
        return score
    part, found = parts(lesions, p), np.empty(len(lesions))
    for i in range(p.n_parts):
        of_others = _platt(lesions[part != i])
        if of_others.method == "none":  # else raw scores would stand among calibrated ones
            return score
        found[part == i] = of_others.probability(score[part == i])
    return found


def save(path: Path, calibrator: Calibrator) -> None:
    """Write a calibrator.

    Args:
        path: calibration.json.
        calibrator: From `fit`.
    """
    path.write_text(calibrator.model_dump_json(indent=1) + "\n")


def load(path: Path) -> Calibrator:
    """Read a calibrator.

    Args:
        path: calibration.json.

    Raises:
        InputError: The file is absent or is no calibrator.
    """
    return load_json(path, Calibrator, "a calibrator")


def summary(calibrator: Calibrator) -> str:
    """Describe a calibrator in a line.

    Args:
        calibrator: From `fit`.
    """
    if calibrator.method == "none":
        return f"scores are left as they are: {calibrator.reason}"
    return (
        f"log odds = {calibrator.slope:.3f} x those of the score {calibrator.intercept:+.3f}, from "
        f"{calibrator.n_lesions:,} out-of-fold lesions, {calibrator.n_positives:,} of them positive"
    )


def targets(y_true: np.ndarray) -> np.ndarray:
    """Draw targets in from 0 and 1, as Platt does: the mean of one more lesion of each class.

    Args:
        y_true: Shape (n_lesions,), 1 or 0.

    Returns:
        The same shape, in (0, 1).
    """
    n_positives = int((y_true == 1).sum())
    highest, lowest = (n_positives + 1) / (n_positives + 2), 1 / (len(y_true) - n_positives + 2)
    return np.where(y_true == 1, highest, lowest)


def parts(lesions: pd.DataFrame, p: Params) -> np.ndarray:
    """Deal patients into parts, those with and those without a malignancy apart.

    Args:
        lesions: patient_id and target, one row per lesion; any order.
        p: The block `calibrate`.

    Returns:
        Shape (n_lesions,), from 0 to p.n_parts - 1.
    """
    malignant = lesions.groupby("patient_id")["target"].max()  # sorted by patient_id
    rng, part = np.random.default_rng(p.seed), pd.Series(0, malignant.index)
    for _, patients in malignant.groupby(malignant):
        part[rng.permutation(patients.index.to_numpy())] = np.arange(len(patients)) % p.n_parts
    return lesions["patient_id"].map(part).to_numpy()


def _platt(lesions: pd.DataFrame) -> Calibrator:
    z, n_positives = logits(lesions["score"]), int(lesions["target"].sum())
    drawn_in = targets(lesions["target"].to_numpy())[:, None]
    intercept, slope = regression.line(z, drawn_in, np.ones_like(drawn_in))[:, 0]
    if not np.isfinite(slope):
        return _left(lesions, "out of fold, the scores hardly differ")
    if slope <= 0:
        return _left(lesions, "out of fold, risk does not rise with the score")
    return Calibrator(
        method="platt",
        reason="",
        slope=float(slope),
        intercept=float(intercept),
        n_lesions=len(z),
        n_positives=n_positives,
    )


def _left(lesions: pd.DataFrame, reason: str) -> Calibrator:
    """Leave the scores as they are."""
    return Calibrator(
        method="none",
        reason=reason,
        slope=1.0,
        intercept=0.0,
        n_lesions=len(lesions),
        n_positives=int(lesions["target"].sum()),
    )
