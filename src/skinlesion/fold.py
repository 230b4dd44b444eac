"""One fold, as a network is trained on it: what it learns from, and what it is validated on."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from skinlesion import batches, metadata, stores, tabular, training

__all__ = ["Fold", "read"]


@dataclass(frozen=True)
class Fold:
    """What the stages before have made for one fold. The holdout is not in it."""

    encoder: tabular.Encoder
    epochs: list[batches.Training]  # the planned ones
    validation: training.Validation

    @property
    def n_features(self) -> int:
        """Columns of the encoded table."""
        return len(self.encoder.names)


def read(
    fold: int,
    folds_csv: Path,
    draws_csv: Path,
    prior_json: Path,
    tabular_folder: Path,
    store: stores.Store | None,
    *,
    image_px: int,
) -> Fold:
    """Read a fold.

    Args:
        fold: Its number: these lesions are validated on.
        folds_csv: From `split`.
        draws_csv: The planned epochs, from `resample`.
        prior_json: What the draws did to the prior, from `resample`.
        tabular_folder: The encoder and the features, from `encode`.
        store: The tiles; None where the network has no image branch.
        image_px: Side of the tiles.

    Raises:
        InputError: The draws name a lesion without features, or the encoder is malformed.
    """
    encoder = tabular.load(tabular_folder / "encoder.json")
    table = pd.read_parquet(tabular_folder / "tabular.parquet")
    isic_ids = table.pop("isic_id").to_numpy()
    features = np.ascontiguousarray(table.to_numpy(np.float32))
    lesions = batches.Lesions(isic_ids, features, store, image_px)
    folds = metadata.read(folds_csv).set_index("isic_id").loc[isic_ids]
    y_true = folds["target"].to_numpy()
    held = (folds["fold"] == fold).to_numpy()
    shift = json.loads(prior_json.read_text())["prior_shift"]
    return Fold(
        encoder,
        batches.planned(lesions, y_true, metadata.read(draws_csv)),
        training.Validation(batches.select(lesions, held), y_true[held], shift),
    )
