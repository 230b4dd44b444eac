"""Measures and curves of one set of scored lesions, for `dvc exp show` and `dvc plots`."""

import numpy as np
import pandas as pd
from pydantic import Field
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve, roc_curve

from skinlesion import metrics
from skinlesion.params import Block

__all__ = ["Params", "curves", "measures", "summary"]

CURVES = {
    "roc": ["fpr", "tpr"],
    "precision_recall": ["recall", "precision"],
    "calibration": ["mean_score", "prevalence"],
    "scores": ["score", "positives", "negatives"],
}


class Params(Block):
    """Block `evaluate`: what is measured."""

    min_tpr: float = Field(ge=0, lt=1)
    n_bins: int = Field(ge=2)
    n_curve_points: int = Field(ge=10)


def measures(scored: pd.DataFrame, p: Params) -> dict[str, float]:
    """Measure how well scores rank lesions.

    Args:
        scored: target and score, one row per lesion, both classes.
        p: The block `evaluate`.

    Returns:
        pAUC above p.min_tpr, AUC, average precision, sensitivity at 95 % specificity, and the
        numbers of lesions and positives.
    """
    y_true, y_score = scored["target"], scored["score"]
    return {
        "pauc": metrics.partial_auc(y_true, y_score, min_tpr=p.min_tpr),
        "auc": metrics.auc(y_true, y_score),
        "average_precision": metrics.average_precision(y_true, y_score),
        "sensitivity_at_95_specificity": metrics.sensitivity_at_specificity(
            y_true, y_score, specificity=0.95
        ),
        "n_lesions": len(scored),
        "n_positives": int(y_true.sum()),
    }


def curves(scored: pd.DataFrame, p: Params) -> dict[str, pd.DataFrame]:
    """Draw the curves of a set of scores as tables.

    Args:
        scored: target and score, one row per lesion; both classes, or no lesion at all.
        p: The block `evaluate`.

    Returns:
        roc (fpr, tpr), precision_recall (recall, precision), calibration (mean_score,
        prevalence, in bins of equally many lesions) and scores (score in log10 units: the share of
        positives and of negatives in each bin). Each has at most p.n_curve_points rows.
    """
    if not len(scored):
        return {name: pd.DataFrame(columns=columns) for name, columns in CURVES.items()}
    y_true, y_score = scored["target"].to_numpy(), scored["score"].to_numpy()
    fpr, tpr, _ = roc_curve(y_true, y_score)
    precision, recall, _ = precision_recall_curve(y_true, y_score)
    prevalence, mean = calibration_curve(y_true, y_score, n_bins=p.n_bins, strategy="quantile")
    tables = {
        "roc": (fpr, tpr),
        "precision_recall": (recall[::-1], precision[::-1]),
        "calibration": (mean, prevalence),
        "scores": _histogram(y_true, y_score, p.n_bins),
    }
    return {
        name: _thinned(
            pd.DataFrame(dict(zip(CURVES[name], columns, strict=True))), p.n_curve_points
        )
        for name, columns in tables.items()
    }


def summary(found: dict[str, dict[str, float]]) -> str:
    """Say in a line or two how good the scores are, and on what.

    Args:
        found: `measures` by set, "holdout" or "oof".
    """
    lines = [
        f"{name:8s} pAUC {m['pauc']:.4f}  AUC {m['auc']:.4f}  sensitivity at 95 % specificity "
        f"{m['sensitivity_at_95_specificity']:.3f}  ({m['n_lesions']:,} lesions, "
        f"{m['n_positives']:,} positives)"
        for name, m in found.items()
    ]
    if "holdout" not in found:
        lines.append("no holdout: out-of-fold scores only, of folds that chose their best epoch")
    return "\n".join(lines)


def _histogram(y_true: np.ndarray, y_score: np.ndarray, n_bins: int) -> tuple[np.ndarray, ...]:
    """Shares per bin of log10(score); at 0.1 % prevalence a linear axis would show one bar."""
    logs = np.log10(np.clip(y_score, 1e-12, None))
    edges = np.linspace(logs.min(), logs.max() + 1e-9, 2 * n_bins + 1)
    shares = [np.histogram(logs[y_true == c], edges)[0] / (y_true == c).sum() for c in (1, 0)]
    return (edges[:-1] + edges[1:]) / 2, *shares


def _thinned(table: pd.DataFrame, n: int) -> pd.DataFrame:
    if len(table) <= n:
        return table
    return table.iloc[np.unique(np.linspace(0, len(table) - 1, n).round().astype(int))]
