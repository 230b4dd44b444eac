"""A baseline that reads 21 colour statistics of the tile, by logistic regression."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from skinlesion.boosting import matrix
from skinlesion.boosting.columns import Columns
from skinlesion.dataset import metadata, partition
from skinlesion.derivation import plan, tile_colour
from skinlesion.params import Block, load_json

__all__ = ["COLUMNS", "Baseline", "fit", "load", "save"]

COLUMNS = Columns(list(tile_colour.NAMES), [], [])
NAME = "colour.json"
DIGITS = 9  # kept of each number: sums may round otherwise on another number of threads


class Baseline(Block):
    """logit = intercept + the sum of weight * (number - mean) / sd; a missing one is the mean."""

    mean: list[float]
    sd: list[float]
    weight: list[float]
    intercept: float

    def logits(self, values: np.ndarray) -> np.ndarray:
        """Score lesions.

        Args:
            values: Shape (n_lesions, 21), float32, in the order of COLUMNS.

        Returns:
            Shape (n_lesions,), float64.
        """
        found = np.full(len(values), self.intercept)
        for i, (mean, sd, weight) in enumerate(zip(self.mean, self.sd, self.weight, strict=True)):
            found += np.nan_to_num((values[:, i].astype(np.float64) - mean) / sd) * weight
        return found


def fit(fold: int, folds_csv: Path, features: Path) -> Baseline | None:
    """Fit the baseline to the training lesions of a fold.

    Args:
        fold: The fold left out.
        folds_csv: From stage `split`.
        features: The folder that stage `derive` writes.

    Returns:
        The baseline, on the true prior; None where the colours of tiles were not measured.

    Raises:
        InputError: A file is absent or malformed.
    """
    if not set(COLUMNS.own) <= set(plan.load(features).tile):
        return None
    folds = metadata.read(folds_csv)
    training = partition.training_rows(folds, validation_fold=fold).sort_values("isic_id")
    y_true, isic_ids = training["target"].to_numpy(), pd.Index(training["isic_id"])
    read = matrix.read(features / "train.parquet", COLUMNS, {}, isic_ids)
    values = read.values.astype(np.float64)
    mean, sd = np.nanmean(values, 0), np.nanstd(values, 0)
    sd = np.where(sd > 0, sd, 1.0)
    # Balanced, as a linear model needs it where positives are rare; the intercept is put back.
    model = LogisticRegression(class_weight="balanced", solver="newton-cholesky")
    model.fit(np.nan_to_num((values - mean) / sd), y_true)
    intercept = model.intercept_[0] + logit(y_true.mean())
    return Baseline(
        mean=_short(mean),
        sd=_short(sd),
        weight=_short(model.coef_[0]),
        intercept=_short([intercept])[0],
    )


def save(folder: Path, baseline: Baseline | None) -> None:
    """Write a baseline; where there is none, no file is left.

    Args:
        folder: Made if need be.
        baseline: From `fit`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NAME).unlink(missing_ok=True)  # of an earlier setting
    if baseline is not None:
        (folder / NAME).write_text(baseline.model_dump_json(indent=1) + "\n")


def load(folder: Path) -> Baseline | None:
    """Read a baseline; None where there is none.

    Args:
        folder: Written by `save`.

    Raises:
        InputError: The file is malformed.
    """
    path = folder / NAME
    if not path.exists():
        return None
    return load_json(path, Baseline, "a baseline")


def _short(values: pd.Series | np.ndarray | list[float]) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in np.asarray(values).tolist()]
