"""Compare with sorting by one column of the table."""

from typing import Any

import pandas as pd

from skinlesion.errors import InputError
from skinlesion.evaluation import bootstrap, comparison
from skinlesion.evaluation.bootstrap import Resamples

__all__ = ["measures", "scored"]


def scored(lesions: pd.DataFrame, column: str) -> pd.DataFrame:
    """Score lesions by a column, largest first, those without a value last.

    Args:
        lesions: The column, one row per lesion.
        column: That is sorted by.

    Returns:
        The lesions, with its values as their score.

    Raises:
        InputError: The column holds something, and no number.
    """
    values = pd.to_numeric(lesions[column], errors="coerce")
    if values.isna().all() and lesions[column].notna().any():
        raise InputError(f"evaluate.baseline must be a column of numbers. Got {column!r}.")
    # Of a set that has no value at all, as one clinic may, all lesions are alike.
    return lesions.assign(score=values.fillna(values.min() - 1).fillna(0.0))


def measures(
    lesions: pd.DataFrame, column: str | None, sampling: bootstrap.Params, resamples: Resamples
) -> dict[str, Any] | None:
    """Measure how well a column ranks, and how far ahead of it the score in use is.

    Args:
        lesions: patient_id, target, score and the column, one row per lesion.
        column: That is sorted by; None for no comparison.
        sampling: The block `measure`.
        resamples: Of the patients.

    Returns:
        column, the intervals of its pauc and auc, and under pauc_difference and auc_difference
        those of the score less the column; None without one.

    Raises:
        InputError: As for `scored`.
    """
    if column is None:
        return None
    found = comparison.paired(scored(lesions, column), lesions, sampling, resamples=resamples)
    kept = {name: found[name]["first"] for name in found}
    differences = {f"{name}_difference": found[name]["difference"] for name in found}
    return {"column": column, **kept, **differences}
