"""ROC curves of all resamples from one sort: lesions are ranked once, then reweighted.

A ROC curve bends only where a positive is found: lesions between two positives are one block,
and the curve of a resample needs, per block, the counts of its positives and of its negatives,
which are sparse products of the lesions' patients with how often each patient was drawn.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from skinlesion.evaluation import bootstrap

__all__ = ["Ranked", "Roc", "rank"]


@dataclass(frozen=True)
class Roc:
    """ROC curves of several resamples, a column each, as counts at the ends of the blocks."""

    tp: np.ndarray  # shape (1 + n_blocks, n_resamples), rising from 0
    fp: np.ndarray  # the same

    @property
    def tpr(self) -> np.ndarray:
        """Sensitivity, NaN without positives."""
        return np.asarray(self.tp / self.tp[-1])

    @property
    def fpr(self) -> np.ndarray:
        """1 - specificity, NaN without negatives."""
        return np.asarray(self.fp / self.fp[-1])

    def partial_auc(self, min_tpr: float) -> np.ndarray:
        """Areas between the curves and TPR = min_tpr, as `metrics.partial_auc` defines them.

        Args:
            min_tpr: In [0, 1).

        Returns:
            Shape (n_resamples,), from 0 to 1 - min_tpr.
        """
        low, high = np.maximum(self.tpr[:-1] - min_tpr, 0), np.maximum(self.tpr[1:] - min_tpr, 0)
        rise = np.diff(self.tpr, axis=0)
        share = np.divide(high - low, rise, out=np.ones_like(rise), where=rise > 0)
        return np.asarray((np.diff(self.fpr, axis=0) * share * (low + high) / 2).sum(0))

    def auc(self) -> np.ndarray:
        """Areas under the whole curves, shape (n_resamples,)."""
        return self.partial_auc(0.0)

    def average_precision(self) -> np.ndarray:
        """Mean precision over the positives, each at its own threshold; shape (n_resamples,)."""
        return np.asarray((np.diff(self.tpr, axis=0) * self.precision[1:]).sum(0))

    def examined(self, sensitivity: float) -> np.ndarray:
        """Lesions examined per cancer found, at the highest threshold that is sensitive enough.

        Args:
            sensitivity: To be reached, in (0, 1].

        Returns:
            Shape (n_resamples,), at least 1; NaN without positives.
        """
        enough = np.argmax(self.tpr >= sensitivity - 1e-12, axis=0)
        columns = np.arange(self.tp.shape[1])
        found, called = self.tp[enough, columns], (self.tp + self.fp)[enough, columns]
        return np.asarray(
            np.divide(called, found, out=np.full_like(found, np.nan), where=found > 0)
        )

    @property
    def precision(self) -> np.ndarray:
        """Share of positives among the lesions up to each block, 1 where there is none."""
        called = self.tp + self.fp
        return np.asarray(np.divide(self.tp, called, out=np.ones_like(called), where=called > 0))


@dataclass(frozen=True)
class Ranked:
    """Scored lesions, reduced to what each resample of their patients needs."""

    positives: csr_array  # shape (n_blocks, n_patients), riskiest block first
    negatives: csr_array  # the same
    resamples: bootstrap.Resamples

    def each(self, statistic: Callable[[Roc], np.ndarray]) -> np.ndarray:
        """Compute a statistic of every resample.

        Args:
            statistic: From curves of n resamples to an array whose last axis has n values.

        Returns:
            Last axis of 1 + n_resamples values, that of the lesions as they are first.
        """
        step = max(1, bootstrap.N_CELLS // max(self.positives.shape))
        counts = self.resamples.counts
        with np.errstate(invalid="ignore"):
            found = [
                statistic(self._roc(counts[i : i + step])) for i in range(0, len(counts), step)
            ]
        return np.concatenate(found, axis=-1)

    def _roc(self, counts: np.ndarray) -> Roc:
        weights = counts.T.astype(np.float64)
        tp, fp = (
            np.vstack([np.zeros(len(counts)), np.cumsum(table @ weights, axis=0)])
            for table in (self.positives, self.negatives)
        )
        return Roc(tp, fp)


def rank(lesions: pd.DataFrame, score: ArrayLike, resamples: bootstrap.Resamples) -> Ranked:
    """Rank lesions once.

    Args:
        lesions: patient_id and target, one row per lesion; some or all of the lesions whose
            patients were resampled.
        score: Shape (n_lesions,), higher is riskier. Only the order counts; equal scores tie.
        resamples: From `draw`.

    Raises:
        ValueError: A score is not finite.
    """
    score = np.asarray(score, np.float64)
    if not np.isfinite(score).all():
        raise ValueError(f"score must be finite. Got {(~np.isfinite(score)).sum()} others.")
    resamples = resamples.of(lesions)
    patients, target = resamples.codes(lesions), lesions["target"].to_numpy()
    _, place = np.unique(-score, return_inverse=True)  # ties share a place, 0 the riskiest
    holds = np.zeros(place.max(initial=-1) + 1, np.int64)
    holds[place[target == 1]] = 1
    block = (2 * np.cumsum(holds) - holds)[place]  # odd: a place with positives; even: between
    shape = 2 * int(holds.sum()) + 1, len(resamples.patients)
    tables = []
    for side in (1, 0):
        where = block[target == side], patients[target == side]
        tables.append(csr_array((np.ones(len(where[0])), where), shape=shape))
    return Ranked(tables[0], tables[1], resamples)
