"""Divide patients between the holdout and the folds. No patient is ever on two sides."""

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from skinlesion.dataset.partition import HOLDOUT
from skinlesion.errors import InputError

__all__ = ["by_patient", "held_out", "require_both_classes", "summary"]


def by_patient(
    lesions: pd.DataFrame, *, n_folds: int, holdout_fraction: float, seed: int
) -> pd.DataFrame:
    """Assign every lesion to the holdout or to one of the folds.

    The holdout is a share of patients, stratified by whether they have a malignancy.
    The others are divided so that each fold gets about the same share of positives.

    Args:
        lesions: One row each, with isic_id, patient_id and target. Their order is irrelevant.
        n_folds: Number of folds, >= 2, over the patients left after the holdout.
        holdout_fraction: Share of patients, in [0, 1). 0 makes no holdout.
        seed: Any int >= 0.

    Returns:
        isic_id, patient_id, target and fold (HOLDOUT or 0 ... n_folds - 1), sorted by isic_id.

    Raises:
        InputError: A side would lack one of the two classes.

    Source:
        https://scikit-learn.org/stable/modules/generated/sklearn.model_selection.StratifiedGroupKFold.html
    """
    folds = lesions[["isic_id", "patient_id", "target"]].sort_values("isic_id", ignore_index=True)
    folds["fold"] = HOLDOUT
    held = held_out(folds, holdout_fraction, seed)
    rest = folds[~held]
    _require_patients(rest, n_folds)
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    parts = splitter.split(rest, rest["target"], rest["patient_id"])
    for fold, (_, rows) in enumerate(parts):
        folds.loc[rest.index[rows], "fold"] = fold
    require_both_classes(folds, [*([HOLDOUT] if held.any() else []), *range(n_folds)])
    return folds


def held_out(folds: pd.DataFrame, fraction: float, seed: int) -> np.ndarray:
    """Choose the patients of the holdout, those with and without a malignancy apart.

    Args:
        folds: patient_id and target, one row per lesion. Their order is irrelevant.
        fraction: Share of patients, in [0, 1).
        seed: Any int >= 0.

    Returns:
        Shape (n_lesions,), whether a lesion's patient was chosen.
    """
    malignant = folds.groupby("patient_id")["target"].max()  # sorted by patient_id
    rng = np.random.default_rng(seed)
    chosen: list[str] = []
    for _, patients in malignant.groupby(malignant):
        n = round(len(patients) * fraction)
        chosen += list(rng.permutation(patients.index.to_numpy())[:n])
    return np.asarray(folds["patient_id"].isin(chosen))


def summary(folds: pd.DataFrame) -> str:
    """Describe the sides of a split in a line each.

    Args:
        folds: As returned by `by_patient`.
    """
    lines = []
    for fold, lesions in folds.groupby("fold"):
        name = "holdout" if fold == HOLDOUT else f"fold {fold} "
        n_patients, n_positives = lesions["patient_id"].nunique(), lesions["target"].sum()
        lines.append(
            f"{name}  {n_patients:6,} patients  {len(lesions):8,} lesions"
            f"  {n_positives:5,} positives"
        )
    return "\n".join(lines)


def require_both_classes(folds: pd.DataFrame, sides: list[int]) -> None:
    """Refuse a split with a side on which nothing could be measured.

    Args:
        folds: target and fold, one row per lesion.
        sides: Folds, and HOLDOUT if there is one.

    Raises:
        InputError: A side has lesions of one class only.
    """
    for side in sides:
        found = sorted(folds.loc[folds["fold"] == side, "target"].unique().tolist())
        if found != [0, 1]:
            name = "the holdout" if side == HOLDOUT else f"fold {side}"
            raise InputError(
                f"split: {name} must have lesions of both classes. Got targets {found} instead. "
                f"Try another split.seed, fewer folds or another split.holdout_fraction."
            )


def _require_patients(rest: pd.DataFrame, n_folds: int) -> None:
    n = rest.loc[rest["target"] == 1, "patient_id"].nunique()
    if n < n_folds:
        raise InputError(
            f"split.n_folds must be at most the number of patients with a malignancy outside "
            f"the holdout, which is {n}. Got {n_folds} instead."
        )
