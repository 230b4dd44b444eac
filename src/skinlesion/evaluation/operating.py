"""Operating points: thresholds, and the sensitivity, specificity and counts at each."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import roc_curve

from skinlesion.evaluation import bootstrap, look_budget
from skinlesion.evaluation.bootstrap import Both, Interval, Resamples

__all__ = [
    "Criterion",
    "at",
    "measures",
    "rates",
    "rates_in_resamples",
    "retrieval",
    "retrieved",
    "threshold",
]

Criterion = Literal["specificity", "sensitivity"]


def threshold(
    y_true: ArrayLike, y_score: ArrayLike, *, criterion: Criterion, level: float
) -> float:
    """Choose a threshold; lesions that score as high or higher are flagged.

    Args:
        y_true: Shape (n_lesions,), 1 or 0; both must occur.
        y_score: Shape (n_lesions,), in [0, 1], higher is riskier.
        criterion: What must be reached: "specificity", and then the lowest such threshold is
            taken, or "sensitivity", and then the highest.
        level: How much of it, in (0, 1).

    Returns:
        A score. It is above 1, and flags nothing, where nothing lower is specific enough.
    """
    fpr, tpr, thresholds = roc_curve(y_true, y_score, drop_intermediate=False)
    # The slack admits what binary fractions put a hair off, as 1 - 0.95 does with 0.05.
    if criterion == "specificity":
        chosen = np.flatnonzero(fpr <= 1 - level + 1e-12)[-1]
    else:
        chosen = np.flatnonzero(tpr >= level - 1e-12)[0]
    return float(min(thresholds[chosen], 2.0))


def rates(lesions: pd.DataFrame, resamples: Resamples, *, threshold: float) -> dict[str, Interval]:
    """Measure the sensitivity and the specificity of a threshold.

    Args:
        lesions: patient_id, target and score, one row per lesion.
        resamples: Of their patients.
        threshold: Lesions that score as high or higher are flagged.

    Returns:
        sensitivity and specificity; undefined without positives, without negatives.
    """
    values = rates_in_resamples(lesions, resamples, threshold=threshold)
    n_patients = lesions.groupby("target")["patient_id"].nunique()
    return {
        name: bootstrap.share(
            values[name], resamples.confidence, n_patients=int(n_patients.get(target, 0))
        )
        for name, target in (("sensitivity", 1), ("specificity", 0))
    }


def rates_in_resamples(
    lesions: pd.DataFrame, resamples: Resamples, *, threshold: float
) -> dict[str, np.ndarray]:
    """Compute the sensitivity and the specificity of a threshold in every resample.

    Args:
        lesions: patient_id, target and score, one row per lesion.
        resamples: Of their patients.
        threshold: Lesions that score as high or higher are flagged.

    Returns:
        Shape (1 + n_resamples,) each, in [0, 1]; NaN without positives, without negatives.
    """
    flagged = lesions["score"].to_numpy() >= threshold
    positive = lesions["target"].to_numpy() == 1
    return {
        "sensitivity": _shares(flagged[positive], lesions[positive], resamples),
        "specificity": _shares(~flagged[~positive], lesions[~positive], resamples),
    }


def measures(
    lesions: pd.DataFrame,
    chosen_on: pd.DataFrame,
    resamples: Both,
    *,
    levels: dict[Criterion, Sequence[float]],
) -> list[dict[str, Any]]:
    """Measure operating points whose thresholds were chosen on other lesions.

    Args:
        lesions: patient_id, target and score, one row per lesion.
        chosen_on: target and score of the lesions that the thresholds are chosen on; both
            classes.
        resamples: Of the patients of `lesions`. The thresholds stay as they are.
        levels: What to reach, by criterion.

    Returns:
        One record per level: criterion, level, threshold (a score), and what `at` measures.
    """
    points = []
    for criterion, wanted in levels.items():
        for level in wanted:
            score = threshold(
                chosen_on["target"], chosen_on["score"], criterion=criterion, level=level
            )
            head = {"criterion": criterion, "level": level, "threshold": score}
            points.append(head | at(lesions, resamples, threshold=score))
    return points


def at(lesions: pd.DataFrame, resamples: Both, *, threshold: float) -> dict[str, Any]:
    """Measure one operating point.

    Args:
        lesions: patient_id, target and score, one row per lesion.
        resamples: Of their patients.
        threshold: Lesions that score as high or higher are flagged.

    Returns:
        sensitivity, specificity, number_needed_to_examine, and per_1000: flagged, found, missed
        and false_alarms.
    """
    y_true, flagged = lesions["target"].to_numpy(), lesions["score"].to_numpy() >= threshold
    free = resamples.free
    sums = bootstrap.totals(
        np.stack([np.ones(len(y_true)), y_true, flagged, flagged * y_true]), lesions, free
    )
    n, positive, called, found = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        examined = bootstrap.interval(called / found, free.confidence)
    point = rates(lesions, resamples.stratified, threshold=threshold)
    per_lesion = {
        "flagged": called,
        "found": found,
        "missed": positive - found,
        "false_alarms": called - found,
    }
    limits = _per_1000(point, prevalence=float(y_true.mean()))
    per_1000 = {
        k: bootstrap.widened(bootstrap.interval(1000 * v / n, free.confidence), *limits[k])
        for k, v in per_lesion.items()
    }
    return {**point, "number_needed_to_examine": examined, "per_1000": per_1000}


def retrieval(lesions: pd.DataFrame, resamples: Resamples, *, k: int) -> tuple[Interval, int]:
    """Measure the top-k retrieval sensitivity: each patient's cancers among their k highest scores.

    Args:
        lesions: patient_id, target and score, one row per lesion; both classes.
        resamples: Of their patients.
        k: How many lesions of a patient are looked at, >= 1.

    Returns:
        The mean over patients with a malignancy, each counted once, of the share of their
        malignancies found, ties at the k-th place counted as often as chance would; and how many
        of those patients have more than k lesions. For the others the share is 1 whatever the
        scores.

    Source:
        The secondary metric of https://github.com/ISIC-Research/Challenge-2024-Metrics
    """
    crowded = lesions.groupby("patient_id")["target"].agg(["size", "max"])
    n_crowded = int(((crowded["size"] > k) & (crowded["max"] == 1)).sum())
    n_malignant = int((crowded["max"] == 1).sum())
    values = retrieved(lesions, resamples, k=k)
    return bootstrap.share(values, resamples.confidence, n_patients=n_malignant), n_crowded


def retrieved(lesions: pd.DataFrame, resamples: Resamples, *, k: int) -> np.ndarray:
    """Compute the top-k retrieval sensitivity of every resample.

    Args:
        lesions: patient_id, target and score, one row per lesion; both classes.
        resamples: Of their patients.
        k: How many lesions of a patient are looked at, >= 1.

    Returns:
        Shape (1 + n_resamples,), in [0, 1], as `retrieval` defines it.
    """
    return np.asarray(look_budget.found(lesions, resamples, budgets=[k])[0])


def _per_1000(point: dict[str, Interval], *, prevalence: float) -> dict[str, np.ndarray]:
    """Counts at the limits of the rates, lowest first: near 0 resamples alone are too sure."""
    limits = np.array([[point[k]["low"], point[k]["high"]] for k in point], np.float64)
    found, spared = 1000 * prevalence * limits[0], 1000 * (1 - prevalence) * limits[1]
    missed, false = 1000 * prevalence - found[::-1], 1000 * (1 - prevalence) - spared[::-1]
    return {"flagged": found + false, "found": found, "missed": missed, "false_alarms": false}


def _shares(holds: np.ndarray, lesions: pd.DataFrame, resamples: Resamples) -> np.ndarray:
    sums = bootstrap.totals(np.stack([holds, np.ones(len(holds))]), lesions, resamples)
    with np.errstate(invalid="ignore"):
        return np.asarray(sums[0] / sums[1])
