"""The mean logit of a lesion, and how far logits spread: over folds, over seeds, over views."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from skinlesion.dataset.fold_seed import FoldSeed

__all__ = ["COLUMNS", "of", "write"]

COLUMNS = ("sd_folds", "sd_seeds", "sd_views")


def of(logits: Mapping[FoldSeed, np.ndarray]) -> dict[str, np.ndarray]:
    """Average the logits of models, and say how far they spread.

    Args:
        logits: Of each model, shape (n_views, n_lesions).

    Returns:
        Each of shape (n_lesions,): logit, the mean over folds of their means over seeds and views;
        sd_folds, the standard deviation of the means of folds; sd_seeds, that over seeds, its root
        mean square over the folds that have several; sd_views, that over views, its root mean
        square over the models that have several. NaN where there is one.
    """
    means: dict[int, list[np.ndarray]] = {}
    for one in sorted(logits):
        means.setdefault(one.fold, []).append(_mean(logits[one]))
    folds = [_mean(seeds) for seeds in means.values()]
    return {
        "logit": _mean(folds),
        "sd_folds": _root_mean_square([folds]),
        "sd_seeds": _root_mean_square(list(means.values())),
        "sd_views": _root_mean_square(list(logits.values())),
    }


def write(scored: pd.DataFrame, path: Path) -> None:
    """Write spreads, as network_sd_folds and so on, those of them that there are.

    Args:
        scored: isic_id and COLUMNS; NaN where a logit is of one fold, one seed or one view.
        path: The CSV file; without rows where there is no spread at all.
    """
    names = [name for name in COLUMNS if scored[name].notna().any()]
    found = scored[["isic_id", *names]].rename(columns={name: f"network_{name}" for name in names})
    found[: None if names else 0].to_csv(path, index=False)


def _mean(logits: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    return np.asarray(sum(logits) / len(logits))


def _root_mean_square(groups: Sequence[Sequence[np.ndarray] | np.ndarray]) -> np.ndarray:
    """Root mean square, over groups of several logits, of their standard deviation; else NaN."""
    variances = [np.var(of, axis=0, ddof=1) for of in groups if len(of) > 1]
    if not variances:
        return np.full(np.shape(groups[0][0]), np.nan)
    return np.asarray(np.sqrt(np.mean(variances, axis=0)))
