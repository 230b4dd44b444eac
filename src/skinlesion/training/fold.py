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


@dataclass(frozen=True)
class Fold:
    """The examples of a fold, and what encoded their tabular features."""

    encoder: tabular.Encoder
    examples: Examples

    @property
    def n_features(self) -> int:
        """Columns of the encoded table."""
        return len(self.encoder.names)


def read(fold: int, files: Files, p: model.Params) -> Fold:
    """Read the encoder and the examples of a fold.

    Args:
        fold: Its number: these lesions are validated on.
        files: Where it is. The tiles are opened only where the network has an image branch.
        p: The block `model`.

    Raises:
        InputError: The draws name a lesion without features, or the encoder is malformed.
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
    epochs = batches.planned(lesions, y_true, metadata.read(files.draws))
    return Fold(encoder, Examples(epochs, validation, folds["patient_id"].to_numpy()))
