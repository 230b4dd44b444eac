"""Compare two recipes, each trained once or several times, and describe the differences."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from skinlesion.errors import InputError
from skinlesion.evaluation import (
    bootstrap,
    calibration,
    comparison,
    measurement,
    retraining,
    runs,
)

__all__ = ["Blocks", "Pair", "read", "text"]

FOLDS = Path("data/interim/folds.csv")  # where a run keeps its folds
SENSITIVITY = 0.80  # at which lesions are examined


@dataclass(frozen=True)
class Pair:
    """A training of each recipe: the scores of the same lesions."""

    first: pd.DataFrame
    second: pd.DataFrame
    source: str  # of the first, whose folds are those of both


@dataclass(frozen=True)
class Blocks:
    """The blocks of params.yaml that say how runs are compared."""

    measure: bootstrap.Params
    evaluate: measurement.Params


def read(first: Sequence[str], second: Sequence[str], scores: Path) -> list[Pair]:
    """Read the scores of the trainings of two recipes.

    Args:
        first: Runs of the one recipe, each as for `runs.read`.
        second: As many runs of the other, in the same order of their seeds.
        scores: Where a run keeps its scores.

    Raises:
        InputError: There are more of the one than of the other, or as for `runs.read`.
    """
    if len(first) != len(second):
        raise InputError(
            f"both recipes must have as many trainings. Got {len(first)} and {len(second)}."
        )
    pairs = zip(first, second, strict=True)
    return [Pair(runs.read(one, scores), runs.read(other, scores), one) for one, other in pairs]


def text(pairs: Sequence[Pair], blocks: Blocks, *, first: str, second: str) -> str:
    """Compare two recipes and describe the differences.

    Args:
        pairs: From `read`.
        blocks: How they are compared.
        first: Name of the one.
        second: Name of the other.

    Returns:
        A line per measure with its interval over patients; where there are several trainings or
        folds, a line per measure with its interval over trainings.

    Raises:
        InputError: The runs are not of the same lesions.
    """
    one, other = _mean([p.first for p in pairs]), _mean([p.second for p in pairs])
    areas = comparison.paired(one, other, blocks.measure)
    lines = [comparison.summary(one, areas, first=first, second=second)]
    lines += _in_use(one, other, blocks)
    if all("fold" in table for p in pairs for table in (p.first, p.second)):
        lines += _over_trainings(pairs, blocks, first=first, second=second)
    return "\n".join(lines)


def _mean(trainings: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Average the logits of several trainings."""
    if len(trainings) == 1:
        return trainings[0]
    aligned = [comparison.aligned(trainings[0], table) for table in trainings]
    logits = np.mean([calibration.logits(table["score"]) for table in aligned], axis=0)
    return trainings[0].assign(score=expit(logits))


def _in_use(one: pd.DataFrame, other: pd.DataFrame, blocks: Blocks) -> list[str]:
    k = blocks.evaluate.top_k
    found = comparison.paired_in_use(one, other, blocks.measure, k=k, sensitivity=SENSITIVITY)
    labels = {
        "top_k_sensitivity": f"top-{k} sensitivity",
        "examined_per_cancer": f"lesions examined per cancer at sensitivity {SENSITIVITY}",
    }
    lines = []
    for name, label in labels.items():
        values = [f"{found[name][side]['value']:.4g}" for side in ("first", "second")]
        change = [comparison.signed(found[name]["difference"][k]) for k in ("value", "low", "high")]
        lines.append(f"{label}  {' -> '.join(values)}  {change[0]} ({change[1]} to {change[2]})")
    return lines


def _over_trainings(pairs: Sequence[Pair], blocks: Blocks, *, first: str, second: str) -> list[str]:
    tables = [(pair.first, pair.second) for pair in pairs]
    try:
        differences = retraining.differences(tables, blocks.measure)
        n = len(differences["auc"])
        if n < 2:
            return []
        shares = np.concatenate(
            [retraining.tested_by_fitted(p.first, runs.folds(p.source, FOLDS)) for p in pairs]
        )
    except InputError as error:
        return [f"no interval over trainings. {error}"]
    found = {
        name: retraining.corrected(
            values,
            n_test_by_n_train=float(np.mean(shares)),
            confidence=blocks.measure.confidence,
        )
        for name, values in differences.items()
    }
    return [retraining.summary(found, n, first=first, second=second)]
