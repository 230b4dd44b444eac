"""Divide lesions as `split.by` says: by patient, or by a column of the table."""

from pathlib import Path

import pandas as pd

from skinlesion.dataset import metadata, partition
from skinlesion.dataset.fold_names import FoldNames
from skinlesion.preparation import clinics, split

__all__ = ["divide", "summary"]


def divide(
    lesions: pd.DataFrame, p: partition.Params, train_metadata: Path
) -> tuple[pd.DataFrame, FoldNames]:
    """Assign every lesion to the holdout or to a fold.

    Args:
        lesions: isic_id, patient_id and target, one row each.
        p: The block `split`.
        train_metadata: The table that has the column p.by, if it is one.

    Returns:
        isic_id, patient_id, target and fold, sorted by isic_id; and what the folds stand for.

    Raises:
        InputError: The table lacks the column, or its values cannot be folds, or not those of
            p.train_folds; or a side would lack one of the two classes.
    """
    if p.by == partition.PATIENT:
        folds = split.by_patient(
            lesions, n_folds=p.n_folds, holdout_fraction=p.holdout_fraction, seed=p.seed
        )
        return folds, FoldNames(by=p.by, folds=[])
    values = metadata.read(train_metadata, columns=["isic_id", p.by])
    folds, names = clinics.by_clinic(lesions.merge(values, on="isic_id", how="left"), p)
    clinics.require_folds(names, p.train_folds)
    return folds, names


def summary(folds: pd.DataFrame, names: FoldNames, p: partition.Params) -> str:
    """Describe the sides of a split in a line each.

    Args:
        folds: From `divide`.
        names: From the same.
        p: The block `split`.
    """
    if not names.folds:
        return split.summary(folds)
    held = folds[folds["fold"] == partition.HOLDOUT]
    lines = [split.summary(held)] if len(held) else []
    return "\n".join([*lines, clinics.summary(names, p.train_folds)])
