"""The look budget: what is found when so many lesions of each patient are looked at."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from skinlesion.evaluation import bootstrap
from skinlesion.evaluation.bootstrap import Interval, Resamples

__all__ = ["COLUMNS", "curve", "found", "measures", "needed"]

N_MAX = 50  # lesions looked at per patient, at the most
SHOWN = (1, 3, 5, 10, 15, 25, 50)
COLUMNS = ["n", "sensitivity", "low", "high", "alone", "baseline", "random"]


def measures(
    orders: Mapping[str, pd.DataFrame], resamples: Resamples, *, levels: Sequence[float]
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Measure what several orders of the same lesions find, for budgets of 1 to N_MAX lesions.

    Args:
        orders: patient_id, target and score, one row per lesion and the same rows in each; by
            name: "model", and "alone" and "baseline" where there are such.
        resamples: Of the patients, stratified.
        levels: Sensitivities to be reached, in (0, 1).

    Returns:
        n_max; "rows", for some budgets n: the sensitivity of each order, that of a random order,
        and n_crowded, the patients with a malignancy who have more than n lesions (in the others
        all is found whatever the order); "needed", for each level the lesions that each order
        takes. Then the table of COLUMNS: the curve of "model" with its band, and the values of
        the other orders, empty where there is none.
    """
    curves = {name: curve(lesions, resamples) for name, lesions in orders.items()}
    sizes = _sizes(next(iter(orders.values())))
    points = curves["model"].assign(
        **{name: curves[name]["sensitivity"] if name in curves else np.nan for name in COLUMNS[4:6]}
    )
    points["random"] = [np.minimum(1, n / sizes).mean() for n in points["n"]]
    rows = [
        {
            "n": n,
            "n_crowded": int((sizes > n).sum()),
            "random": float(points["random"][n - 1]),
            "sensitivity": {name: _interval(of, n) for name, of in curves.items()},
        }
        for n in SHOWN
    ]
    lesions_for = [
        {"level": level, "lesions": {name: needed(of, level) for name, of in curves.items()}}
        for level in levels
    ]
    return {"n_max": N_MAX, "rows": rows, "needed": lesions_for}, points[COLUMNS]


def curve(lesions: pd.DataFrame, resamples: Resamples) -> pd.DataFrame:
    """Draw the sensitivity against the lesions looked at per patient.

    Args:
        lesions: patient_id, target and score, one row per lesion; both classes.
        resamples: Of their patients, stratified.

    Returns:
        n, from 1 to N_MAX, sensitivity as `found` defines it, low and high: limits over the
        resamples, point by point, widened where few patients' worth is missed.
    """
    n, n_patients = range(1, N_MAX + 1), len(_sizes(lesions))
    rows = [
        bootstrap.share(values, resamples.confidence, n_patients=n_patients)
        for values in found(lesions, resamples, budgets=n)
    ]
    names = {"value": "sensitivity"}
    return pd.DataFrame(rows, dtype=np.float64).rename(columns=names).assign(n=n)


def found(lesions: pd.DataFrame, resamples: Resamples, *, budgets: Sequence[int]) -> np.ndarray:
    """Compute the share of cancers among each patient's highest scores, of every resample.

    Args:
        lesions: patient_id, target and score, one row per lesion; both classes.
        resamples: Of their patients.
        budgets: How many lesions of a patient are looked at, each >= 1.

    Returns:
        Shape (n_budgets, 1 + n_resamples), in [0, 1]: the mean over patients with a malignancy,
        each counted once, of the share of their malignancies found, ties at the last place
        counted as often as chance would.

    Source:
        The secondary metric of https://github.com/ISIC-Research/Challenge-2024-Metrics
    """
    own = _of_malignant(lesions)
    by_patient = own.groupby("patient_id")
    above = by_patient["score"].rank(method="min", ascending=False) - 1
    tied = by_patient["score"].rank(method="max", ascending=False) - above
    is_cancer = (own["target"] == 1).to_numpy()
    share = 1 / by_patient["target"].transform("sum").to_numpy()[is_cancer]
    left = np.asarray(budgets)[:, None] - above.to_numpy()[is_cancer]
    caught = np.clip(left / tied.to_numpy()[is_cancer], 0, 1)
    *shares, n_patients = bootstrap.totals(
        np.vstack([caught * share, share]), own[is_cancer], resamples
    )
    return np.asarray(np.stack(shares) / n_patients)


def needed(points: pd.DataFrame, level: float) -> Interval:
    """Read off how many lesions per patient one looks at, to find a share of the cancers.

    The percentiles of the number over the resamples are where the limits of the sensitivity
    reach the level, so nothing is resampled again.

    Args:
        points: From `curve`.
        level: The sensitivity to be reached, in (0, 1).

    Returns:
        value, low and high, whole numbers; None stands for more than N_MAX.
    """
    sensitivity, low, high = (points[c] >= level - 1e-9 for c in ("sensitivity", "low", "high"))
    # A limit that is widened here and not there may fall again: the wider number is taken.
    return {
        "value": _smallest(sensitivity),
        "low": _smallest(high),
        "high": _smallest(low[::-1].cummin()[::-1]),
    }


def _smallest(reached: pd.Series) -> float | None:
    """The smallest budget that is enough."""
    return 1.0 + int(np.argmax(reached)) if reached.any() else None


def _of_malignant(lesions: pd.DataFrame) -> pd.DataFrame:
    positive = lesions.loc[lesions["target"] == 1, "patient_id"]
    return lesions.loc[lesions["patient_id"].isin(positive), ["patient_id", "target", "score"]]


def _sizes(lesions: pd.DataFrame) -> np.ndarray:
    """How many lesions each patient with a malignancy has."""
    return np.asarray(_of_malignant(lesions).groupby("patient_id").size())


def _interval(points: pd.DataFrame, n: int) -> Interval:
    columns = {"value": "sensitivity", "low": "low", "high": "high"}
    return {limit: float(points[column][n - 1]) for limit, column in columns.items()}
