"""Compare two runs: the paired bootstrap of their difference, over patients."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from skinlesion.errors import InputError
from skinlesion.evaluation import bootstrap, operating, ranking
from skinlesion.evaluation.bootstrap import Interval, Params, Resamples

__all__ = ["aligned", "paired", "paired_in_use", "signed", "summary", "verdict"]


def paired(
    first: pd.DataFrame, second: pd.DataFrame, p: Params, *, resamples: Resamples | None = None
) -> dict[str, dict[str, Interval]]:
    """Compare two sets of scores of the same lesions.

    Args:
        first: isic_id, patient_id, target and score, one row per lesion.
        second: The same lesions, in any order.
        p: The block `measure`. Each resample is of the same patients for both.
        resamples: Of the patients; drawn where they are not given.

    Returns:
        For pauc and auc: the intervals of first, second and difference (second - first).

    Raises:
        InputError: The two are not of the same lesions with the same targets and patients, a
            lesion occurs twice, or a score is no number.
    """
    second = aligned(first, second)
    resamples = bootstrap.draw(first, p) if resamples is None else resamples
    ranked = [ranking.rank(first, table["score"], resamples) for table in (first, second)]
    areas = {"pauc": lambda roc: roc.partial_auc(p.min_tpr), "auc": ranking.Roc.auc}
    return {
        name: _sides([r.each(area) for r in ranked], p.confidence, bootstrap.area)
        for name, area in areas.items()
    }


def paired_in_use(
    first: pd.DataFrame, second: pd.DataFrame, p: Params, *, k: int, sensitivity: float
) -> dict[str, dict[str, Interval]]:
    """Compare what two sets of scores mean for those who look at the lesions.

    Args:
        first: isic_id, patient_id, target and score, one row per lesion.
        second: The same lesions, in any order.
        p: The block `measure`.
        k: How many lesions of a patient are looked at, >= 1.
        sensitivity: At which lesions are examined, in (0, 1]; each resample has its threshold.

    Returns:
        As `paired`, for top_k_sensitivity and examined_per_cancer; the first is the better the
        higher, the second the lower.

    Raises:
        InputError: As for `paired`.
    """
    second = aligned(first, second)
    both, tables = bootstrap.draw_both(first, p), (first, second)
    retrieved = [operating.retrieved(t, both.stratified, k=k) for t in tables]
    # How many are examined in vain depends on the prevalence.
    ranked = [ranking.rank(t, t["score"], both.free) for t in tables]
    examined = [r.each(lambda roc: roc.examined(sensitivity)) for r in ranked]
    return {
        "top_k_sensitivity": _sides(retrieved, p.confidence),
        "examined_per_cancer": _sides(examined, p.confidence),
    }


def verdict(difference: Interval, *, first: str, second: str) -> str:
    """Put the interval of a difference into words.

    Args:
        difference: Of second - first, higher is better.
        first: Name of the one.
        second: Name of the other.

    Returns:
        "no difference shown" where the interval holds zero or is not known, else which is better.
    """
    low, high = difference["low"], difference["high"]
    if low is None or high is None or low <= 0 <= high:
        return "no difference shown"
    return f"{second if low > 0 else first} is better"


def summary(
    lesions: pd.DataFrame, found: dict[str, dict[str, Interval]], *, first: str, second: str
) -> str:
    """Describe a comparison in a line per measure, each with what it shows.

    Args:
        lesions: patient_id and target of the lesions compared on.
        found: From `paired`.
        first: Name of the one.
        second: Name of the other.
    """
    lines = [
        f"{len(lesions):,} lesions of {lesions['patient_id'].nunique():,} patients, "
        f"{int(lesions['target'].sum()):,} positives; {second} less {first} (these trained "
        f"models; other seeds of training are not in the intervals):"
    ]
    for name, label in (("pauc", "pAUC"), ("auc", "AUC")):
        one, other, difference = (found[name][k] for k in ("first", "second", "difference"))
        change, low, high = (signed(difference[k]) for k in ("value", "low", "high"))
        said = verdict(difference, first=first, second=second)
        values = f"{label:4s}  {one['value']:.4f} -> {other['value']:.4f}"
        lines.append(f"{values}  {change} ({low} to {high})  {said}")
    return "\n".join(lines)


def aligned(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Put the second table in the order of the first.

    Args:
        first: isic_id, patient_id, target and score, one row per lesion.
        second: The same lesions, in any order.

    Raises:
        InputError: They are not of the same lesions with the same targets and patients, a lesion
            occurs twice, or a score is no number.
    """
    for table in (first, second):
        wrong = table["isic_id"].duplicated() | pd.to_numeric(table["score"], "coerce").isna()
        if wrong.any():
            isic_id = table.loc[wrong, "isic_id"].iloc[0]
            raise InputError(
                f"each lesion must have one score, a number. Got otherwise: {isic_id}."
            )
    first, second = (t.astype({"target": float}) for t in (first, second))
    keys = ["isic_id", "patient_id", "target"]
    one, other = (
        table[keys].sort_values("isic_id", ignore_index=True) for table in (first, second)
    )
    if not one.equals(other):
        n_shared = len(one.merge(other, on=keys))
        raise InputError(
            f"two runs must be compared on the same lesions, patients and targets. "
            f"Got {len(one):,} and {len(other):,} lesions, of which {n_shared:,} agree: "
            f"was the data or split.seed changed, or one of them a holdout and the other "
            f"out-of-fold?"
        )
    return second.set_index("isic_id").loc[first["isic_id"]].reset_index()


def signed(value: float | None) -> str:
    """Write a difference with its sign and four decimals; "?" where it is not known.

    Args:
        value: The difference, or None.
    """
    return "?" if value is None else f"{value:+.4f}"


def _sides(
    values: Sequence[np.ndarray],
    confidence: float,
    of_each: Callable[[np.ndarray, float], Interval] = bootstrap.interval,
) -> dict[str, Interval]:
    first, second = values
    return {
        "first": of_each(first, confidence),
        "second": of_each(second, confidence),
        "difference": bootstrap.interval(second - first, confidence),
    }
