"""Net benefit: whether acting on the probabilities does more good than examining all or none."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from skinlesion.evaluation import bootstrap
from skinlesion.evaluation.bootstrap import Resamples

__all__ = ["COLUMNS", "THRESHOLDS", "measures", "resampled"]

THRESHOLDS = np.geomspace(1e-4, 0.1, 61)  # probabilities, twenty to each power of ten
COLUMNS = ["threshold", "net_benefit", "low", "high", "examine_all", "examine_none"]


def measures(lesions: pd.DataFrame, free: Resamples) -> tuple[dict[str, Any], pd.DataFrame]:
    """Measure the net benefit of examining what is at least as risky as each of THRESHOLDS.

    Args:
        lesions: patient_id, target and probability, one row per lesion.
        free: Resamples of their patients, not stratified, as the prevalence counts.

    Returns:
        lowest and highest of the thresholds, and "better": the first and the last of the longest
        row of thresholds at which the model is better than both examining all and none, by more
        than chance; None where there is none. Then the table of COLUMNS, per lesion; low and high
        are limits over the resamples, point by point.
    """
    model, everyone = resampled(lesions, free)
    tails = (1 - free.confidence) / 2, (1 + free.confidence) / 2
    low, high = np.quantile(model[:, 1:], tails, axis=1)
    ahead = np.quantile((model - everyone)[:, 1:], tails[0], axis=1)
    points = pd.DataFrame({"threshold": THRESHOLDS, "net_benefit": model[:, 0]}).assign(
        low=low, high=high, examine_all=everyone[:, 0], examine_none=0.0
    )
    better = _longest((low > 0) & (ahead > 0))
    limits = {"lowest": float(THRESHOLDS[0]), "highest": float(THRESHOLDS[-1])}
    return limits | {"better": better}, points[COLUMNS]


def resampled(lesions: pd.DataFrame, free: Resamples) -> tuple[np.ndarray, np.ndarray]:
    """Compute the net benefit of every resample.

    A threshold t says that to miss a cancer is as bad as (1 - t) / t needless examinations. The
    net benefit is the cancers found, less the needless examinations at that rate, per lesion.

    Args:
        lesions: patient_id, target and probability, one row per lesion.
        free: Resamples of their patients.

    Returns:
        That of the model and that of examining all, each of shape (n_thresholds, 1 +
        n_resamples), at most the prevalence. That of examining none is 0.

    Source:
        Vickers and Elkin (2006), Decision curve analysis, Med Decis Making 26(6),
        https://doi.org/10.1177/0272989X06295361
    """
    found, false = _flagged(lesions, free)  # at thresholds of 0, where all are flagged, and up
    rate = (THRESHOLDS / (1 - THRESHOLDS))[:, None]
    n = found[0] + false[0]
    return (found[1:] - false[1:] * rate) / n, (found[0] - false[0] * rate) / n


def _flagged(lesions: pd.DataFrame, free: Resamples) -> np.ndarray:
    """Cancers, and others, at or above each threshold; shape (2, 1 + n_thresholds, n)."""
    # How many thresholds a lesion reaches; those that reach as many share a row.
    reached = np.searchsorted(THRESHOLDS, lesions["probability"], side="right")
    codes, target = free.codes(lesions), lesions["target"].to_numpy()
    shape = 1 + len(THRESHOLDS), len(free.patients)
    tables = [
        csr_array(((target == side).astype(np.float64), (reached, codes)), shape=shape)
        for side in (1, 0)
    ]
    for table in tables:
        table.eliminate_zeros()
    step, parts = max(1, bootstrap.N_CELLS // max(shape)), []
    for i in range(0, len(free.counts), step):
        counts = free.counts[i : i + step].T.astype(np.float64)
        parts.append(np.stack([table @ counts for table in tables]))
    return np.concatenate(parts, axis=-1)[:, ::-1].cumsum(axis=1)[:, ::-1]


def _longest(holds: np.ndarray) -> list[float] | None:
    """The first and the last threshold of the longest row of those that hold, the lower of two."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]])))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return None
    i = np.argmax(ends - starts)
    return [float(f"{THRESHOLDS[j]:.6g}") for j in (starts[i], ends[i] - 1)]
