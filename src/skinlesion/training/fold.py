"""The examples of one fold: planned epochs to learn from, and the lesions to validate on."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from skinlesion import metrics
from skinlesion.dataset import batches, metadata, stores
from skinlesion.features import tabular
from skinlesion.network import model
from skinlesion.training import auxiliary

__all__ = ["Examples", "Files", "Fold", "Validation", "read"]


@dataclass(frozen=True)
class Files:
    """The files that earlier stages wrote for one fold, and the tiles."""

    folds: Path  # from `split`
    draws: Path  # the planned epochs, from `resample`
    prior: Path  # what the draws did to the prior, from `resample`
    tabular: Path  # the folder of the encoder and the features, from `encode`
    images: Path


@dataclass(frozen=True)
class Validation:
    """The lesions of the validation fold, all of them, never resampled."""

    lesions: batches.Lesions
    y_true: np.ndarray  # shape (n_lesions,)
    prior_shift: float  # to put the logits on the true prior

    def values(self, logits: np.ndarray) -> dict[str, float]:
        """Measure logits, exactly; loss and accuracy with scores on the true prior.

        Args:
            logits: Shape (n_lesions,), finite.
        """
        scores = logits - self.prior_shift
        return {
            "validation/loss": metrics.log_loss(self.y_true, scores),
            "validation/accuracy": float(np.mean((scores > 0) == (self.y_true == 1))),
            "validation/auc": metrics.auc(self.y_true, scores),
            "validation/pauc": metrics.partial_auc(self.y_true, scores),
        }


@dataclass(frozen=True)
class Examples:
    """What a network is fitted to and validated on. The holdout is not in it."""

    epochs: list[batches.Training]  # the planned ones
    validation: Validation
    patients: np.ndarray  # shape (n_lesions,), the patient_id of each of the epochs' lesions
    targets: tuple[str, ...] = ()  # the auxiliary ones, which stand behind the target


@dataclass(frozen=True)
class Fold:
    """The examples of a fold, and what encoded their tabular features."""

    encoder: tabular.Encoder
    examples: Examples

    @property
    def n_features(self) -> int:
        """Columns of the encoded table."""
        return len(self.encoder.names)


def read(
    fold: int, files: Files, p: model.Params, weights: auxiliary.Weights = auxiliary.NONE
) -> Fold:
    """Read the encoder and the examples of a fold.

    Args:
        fold: Its number: these lesions are validated on.
        files: Where it is. The tiles are opened only where the network has an image branch.
        p: The block `model`.
        weights: Of the auxiliary targets; those of a weight of 0 are not read.

    Raises:
        InputError: The draws name a lesion without features, the encoder is malformed, or there
            are no auxiliary targets of a group that has a weight.
    """
    encoder = tabular.load(files.tabular / "encoder.json")
    table = pd.read_parquet(files.tabular / "tabular.parquet")
    isic_ids = table.pop("isic_id").to_numpy()
    features = np.ascontiguousarray(table.to_numpy(np.float32))
    store = stores.open_store(files.images) if p.backbone != "none" else None
    lesions = batches.Lesions(isic_ids, features, store, p.image_px)
    folds = metadata.read(files.folds).set_index("isic_id").loc[isic_ids]
    y_true = folds["target"].to_numpy()
    held = (folds["fold"] == fold).to_numpy()
    shift = json.loads(files.prior.read_text())["prior_shift"]
    validation = Validation(batches.select(lesions, held), y_true[held], shift)
    names, known = auxiliary.read(files.tabular / "auxiliary.parquet", weights)
    targets = np.column_stack([y_true, known]) if names else y_true
    epochs = batches.planned(lesions, targets, metadata.read(files.draws))
    return Fold(encoder, Examples(epochs, validation, folds["patient_id"].to_numpy(), names))
