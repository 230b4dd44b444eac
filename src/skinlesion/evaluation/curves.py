"""The curves of a set of scores, as tables for `dvc plots` and the report."""

import numpy as np
import pandas as pd
from sklearn.metrics import roc_curve

from skinlesion.evaluation import look_budget, net_benefit, ranking, reliability
from skinlesion.evaluation.bootstrap import Both

__all__ = ["CURVES", "draw", "empty"]

CURVES = {
    "roc": ["fpr", "tpr", "low", "high"],
    "precision_recall": ["recall", "precision", "low", "high"],
    "calibration": ["mean_score", "prevalence", "low", "high"],
    "calibration_before": ["mean_score", "prevalence", "low", "high"],
    "scores": ["score", "positives", "negatives"],
    "look_budget": look_budget.COLUMNS,
    "net_benefit": net_benefit.COLUMNS,
}


def draw(
    lesions: pd.DataFrame, resamples: Both, *, n_bins: int, n_points: int
) -> dict[str, pd.DataFrame]:
    """Draw the curves of a set of scores.

    Args:
        lesions: patient_id, target, score and probability, one row per lesion; both classes.
        resamples: Of their patients.
        n_bins: Of the calibration curves.
        n_points: Rows of a curve at the most.

    Returns:
        The tables of CURVES but those of `usefulness`: roc; precision_recall, at each recall that
        the positives allow; calibration of the probabilities and, calibration_before, of the
        scores; and scores (log10, the share of positives and of negatives in each bin). low and
        high are limits over the resamples, point by point.
    """
    free = resamples.free
    ranked, ranked_free = (
        ranking.rank(lesions, lesions["score"], r) for r in (resamples.stratified, free)
    )
    scores_alone = lesions.assign(probability=lesions["score"])
    return {
        "roc": _roc(lesions, ranked, n_points),
        "precision_recall": _precision_recall(ranked_free, n_points),
        "calibration": reliability.curve(lesions, free, n_bins=n_bins),
        "calibration_before": reliability.curve(scores_alone, free, n_bins=n_bins),
        "scores": _histogram(lesions, n_bins),
    }


def empty() -> dict[str, pd.DataFrame]:
    """Return the tables of a set without lesions: their columns and no row."""
    return {name: pd.DataFrame(columns=columns) for name, columns in CURVES.items()}


def _roc(lesions: pd.DataFrame, ranked: ranking.Ranked, n_points: int) -> pd.DataFrame:
    fpr, tpr, _ = roc_curve(lesions["target"], lesions["score"])
    points = pd.DataFrame({"fpr": fpr, "tpr": tpr}).iloc[_thinned(len(fpr), n_points)]
    at = ranked.each(lambda roc: _interpolated(points["fpr"].to_numpy(), roc.fpr, roc.tpr))
    low, high = _band(at, ranked.resamples.confidence)
    return points.assign(low=low, high=high)


def _precision_recall(ranked: ranking.Ranked, n_points: int) -> pd.DataFrame:
    n_positives = int(ranked.positives.sum())
    recall = np.arange(n_positives + 1)[_thinned(n_positives + 1, n_points)] / n_positives
    at = ranked.each(lambda roc: _reached(recall, roc.tpr, roc.precision))
    low, high = _band(at, ranked.resamples.confidence)
    return pd.DataFrame({"recall": recall, "precision": at[:, 0], "low": low, "high": high})


def _interpolated(x: np.ndarray, fpr: np.ndarray, tpr: np.ndarray) -> np.ndarray:
    """Sensitivities at the given FPRs, the upper one where the curve is vertical."""
    columns = [np.interp(x, a, b) for a, b in zip(fpr.T, tpr.T, strict=True)]
    return np.column_stack(columns)  # (n_points, n_resamples)


def _reached(recall: np.ndarray, tpr: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """Precisions at the first threshold of each recall, as average precision counts them."""
    columns = [
        b[np.minimum(np.searchsorted(a, recall - 1e-12), len(a) - 1)]
        for a, b in zip(tpr.T, precision.T, strict=True)
    ]
    known = ~np.isnan(tpr[-1])  # a resample may hold no positive
    return np.where(known, np.column_stack(columns), np.nan)  # (n_points, n_resamples)


def _band(at: np.ndarray, confidence: float) -> np.ndarray:
    limits = [(1 - confidence) / 2, (1 + confidence) / 2]
    return np.asarray(np.nanquantile(at[:, 1:], limits, axis=1))


def _histogram(lesions: pd.DataFrame, n_bins: int) -> pd.DataFrame:
    """Shares per bin of log10(score); at 0.1 % prevalence a linear axis would show one bar."""
    logs = np.log10(np.clip(lesions["score"].to_numpy(), 1e-12, None))
    y_true = lesions["target"].to_numpy()
    edges = np.linspace(logs.min(), logs.max() + 1e-9, 2 * n_bins + 1)
    shares = [np.histogram(logs[y_true == c], edges)[0] / (y_true == c).sum() for c in (1, 0)]
    middle = (edges[:-1] + edges[1:]) / 2
    return pd.DataFrame({"score": middle, "positives": shares[0], "negatives": shares[1]})


def _thinned(n: int, n_points: int) -> np.ndarray:
    """Indices of at most n_points of n rows, the first and the last among them."""
    return np.unique(np.linspace(0, n - 1, min(n, n_points)).round().astype(int))
