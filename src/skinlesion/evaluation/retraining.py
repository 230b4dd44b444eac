"""Compare two recipes over several trainings: folds, seeds, or both.

The bootstrap over patients holds the trained models fixed; this interval holds how much a
difference varies between trainings. Trainings on folds share most of their lesions, so their
differences are correlated, and a plain t interval would be too narrow.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t

from skinlesion import metrics
from skinlesion.dataset.partition import HOLDOUT
from skinlesion.errors import InputError
from skinlesion.evaluation import bootstrap, comparison
from skinlesion.evaluation.bootstrap import Interval

__all__ = ["corrected", "differences", "summary", "tested_by_fitted"]

Run = pd.DataFrame  # isic_id, patient_id, target, fold and score of out-of-fold lesions


def differences(pairs: Sequence[tuple[Run, Run]], p: bootstrap.Params) -> dict[str, np.ndarray]:
    """Measure the difference of two recipes in each fold of each pair of runs.

    Args:
        pairs: Runs of the two recipes with the same seed and split: isic_id, patient_id, target,
            fold and score of the out-of-fold lesions.
        p: The block `measure`.

    Returns:
        For pauc and auc, second - first, shape (n_trainings,), by pair, then by fold.

    Raises:
        InputError: The runs of a pair are not of the same lesions and folds, or a fold lacks one
            of the classes.
    """
    found: dict[str, list[float]] = {"pauc": [], "auc": []}
    for fold, y_true, one, other in (each for pair in pairs for each in _folds(*pair)):
        if len(set(y_true)) < 2:
            raise InputError(f"fold {fold} must have lesions of both classes.")
        found["auc"].append(metrics.auc(y_true, other) - metrics.auc(y_true, one))
        before, after = (metrics.partial_auc(y_true, s, min_tpr=p.min_tpr) for s in (one, other))
        found["pauc"].append(after - before)
    return {name: np.array(values) for name, values in found.items()}


def _folds(first: Run, second: Run) -> Iterator[tuple[Any, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield each fold's number, targets, and scores of both runs."""
    second = comparison.aligned(first, second)
    if not (first["fold"].to_numpy() == second["fold"].to_numpy()).all():
        raise InputError("two runs must have the same folds. Got others: was split.seed changed?")
    y_true, one, other = (
        of.to_numpy() for of in (first["target"], first["score"], second["score"])
    )
    for fold, rows in first.groupby("fold").indices.items():
        yield fold, y_true[rows], one[rows], other[rows]


def tested_by_fitted(scored: Run, folds: pd.DataFrame) -> list[float]:
    """Divide the patients that each training is tested on by those that it is fitted to.

    Patients count, not lesions: those of a patient are alike, so they add little to each other.

    Args:
        scored: isic_id, patient_id and fold of the lesions that a run was tested on.
        folds: The same of all lesions, from `runs.folds`.

    Returns:
        A share per fold of `scored`, as `differences` orders them: 1 / (k - 1) for one of k equal
        folds. A model that is tested on the holdout is fitted to all folds but one, here of
        their mean size.

    Raises:
        InputError: A lesion is in another fold, or in none.
    """
    known = scored[["isic_id", "fold"]].merge(folds, on=["isic_id", "fold"], how="left")
    if known["patient_id"].isna().any():
        isic_id = known.loc[known["patient_id"].isna(), "isic_id"].iloc[0]
        raise InputError(f"the folds must be those of the runs. Got others for {isic_id}.")
    n_patients = folds[folds["fold"] != HOLDOUT].groupby("fold")["patient_id"].nunique()
    left_out = n_patients.to_dict() | {HOLDOUT: n_patients.mean()}
    tested = scored.groupby("fold")["patient_id"].nunique()
    return [float(n / (n_patients.sum() - left_out[fold])) for fold, n in tested.items()]


def corrected(differences: np.ndarray, *, n_test_by_n_train: float, confidence: float) -> Interval:
    """Return the corrected resampled t interval of a mean difference.

    Args:
        differences: Shape (n_trainings,), from `differences`.
        n_test_by_n_train: From `tested_by_fitted`, the mean of the trainings.
        confidence: In (0, 1).

    Returns:
        value, low and high; the limits are None where there is one training only.

    Source:
        Nadeau and Bengio (2003), https://doi.org/10.1023/A:1024068626366
    """
    n, mean = len(differences), float(np.mean(differences))
    if n < 2:
        return {"value": mean, "low": None, "high": None}
    error = np.sqrt((1 / n + n_test_by_n_train) * np.var(differences, ddof=1))
    half = float(t.ppf((1 + confidence) / 2, n - 1) * error)
    return {"value": mean, "low": mean - half, "high": mean + half}


def summary(found: dict[str, Interval], n_trainings: int, *, first: str, second: str) -> str:
    """Describe a comparison over trainings in a line per measure.

    Args:
        found: From `corrected`, by measure.
        n_trainings: How many pairs of trainings there are.
        first: Name of the one recipe.
        second: Name of the other.
    """
    lines = [f"{n_trainings} pairs of trainings; {second} less {first}, also over trainings:"]
    for name, label in (("pauc", "pAUC"), ("auc", "AUC")):
        change = {k: "?" if v is None else f"{v:+.4f}" for k, v in found[name].items()}
        said = comparison.verdict(found[name], first=first, second=second)
        lines.append(f"{label:4s}  {change['value']} ({change['low']} to {change['high']})  {said}")
    return "\n".join(lines)
