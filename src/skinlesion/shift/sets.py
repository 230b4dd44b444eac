"""The sets of lesions, read piece by piece, and the profile of those that models learnt from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from skinlesion.dataset import challenge, metadata, partition, stores
from skinlesion.errors import InputError
from skinlesion.shift import image, profile, tables, tiles

__all__ = ["PROFILE", "Files", "Sets", "learn", "read"]

PROFILE = "profile.json"


@dataclass(frozen=True)
class Files:
    """What the stages before have written."""

    folds: Path  # from `split`
    features: Path  # from `derive`


@dataclass(frozen=True)
class Sets:
    """The lesions, where they are read from, and which of them a model learnt from."""

    folder: challenge.Files
    given: Files
    predictions: Path
    names: tables.Names
    lesions: pd.DataFrame  # of the training table: patient_id, fold and the columns, by isic_id
    learnt: np.ndarray  # shape (n_lesions,), bool

    def pieces(self, name: str) -> Iterator[tuple[pd.DataFrame, np.ndarray | None]]:
        """Read a set piece by piece.

        Args:
            name: "test", "holdout" or "oof".

        Yields:
            Its lesions, and their image features, as `sketch.of` gives them; None without any.

        Raises:
            InputError: The features are not those of these lesions.
        """
        path = self.predictions / f"image-{name}.npy"
        sketches = _array(path)
        if name == "test":
            parts: Iterable[pd.DataFrame] = tables.pieces(
                self.folder.test_metadata, self.given.features / "test.parquet", self.names
            )
        else:
            parts = self._known(name)
        start = 0
        for part in parts:
            own = sketches[start : start + len(part)]
            start += len(own)
            more = np.full((len(part) - len(own), sketches.shape[1]), np.nan, np.float32)
            has = bool(sketches.shape[1])
            yield part, np.concatenate([own, more]) if has else None
        if start < len(sketches):
            raise InputError(f"{path} must be of the lesions of {name}: dvc repro predict")

    def _known(self, name: str) -> Iterator[pd.DataFrame]:
        ids = metadata.read(self.predictions / f"{name}.csv", columns=["isic_id"])["isic_id"]
        for start in range(0, len(ids), tables.AT_A_TIME):
            yield self.lesions.loc[ids[start : start + tables.AT_A_TIME]].reset_index()


def read(
    predictions: Path,
    folder: challenge.Files,
    given: Files,
    columns: tuple[list[str], list[str]],
    folds: list[int],
) -> Sets:
    """Read the training table.

    Args:
        predictions: The folder that stage `predict` writes.
        folder: The challenge folder.
        given: What the stages before have written.
        columns: Those that the network reads, of numbers and of categories.
        folds: The folds that were left out in turn.

    Raises:
        InputError: A file is absent or malformed.
    """
    names = tables.names(given.features, *columns)
    split = metadata.read(given.folds, columns=["isic_id", "patient_id", "fold"])
    read = tables.read(folder.train_metadata, given.features / "train.parquet", names)
    read = read.drop(columns="patient_id").set_index("isic_id")
    lesions = split.set_index("isic_id").join(read, how="left")
    fold = lesions["fold"].to_numpy()
    # Each model learns from all folds but one.
    learnt = (fold != partition.HOLDOUT) & ((len(folds) > 1) | (fold != folds[0]))
    return Sets(folder, given, predictions, names, lesions, learnt)


def learn(sets: Sets) -> profile.Profile:
    """Profile the lesions that the models learnt from, and the image features of those left out.

    Args:
        sets: From `read`.
    """
    lesions = sets.lesions[sets.learnt]
    patients = profile.numbered(lesions["patient_id"])
    present = [c for c in (*sets.names.metadata, *sets.names.tile) if c in lesions]
    found = profile.columns(lesions[present], patients, sets.names.categorical)
    chosen = tiles.some(lesions["patient_id"])
    measured = tiles.measure(
        lesions.index[chosen].tolist(), stores.open_store(sets.folder.train_images)
    )
    if measured.notna().any(axis=None):
        found |= profile.columns(measured, profile.numbered(lesions["patient_id"][chosen]), ())
    return profile.make(found, _image(sets), patients)


def _image(sets: Sets) -> image.Image | None:
    oof = metadata.read(sets.predictions / "oof.csv", columns=["patient_id", "fold"])
    fold = int(oof["fold"].min()) if len(oof) else 0
    own = oof.loc[oof["fold"] == fold, "patient_id"]
    sketches = _array(sets.predictions / "image-oof.npy")
    if not sketches.shape[1]:
        return None
    return image.fit(sketches, profile.numbered(own), fold=fold)


def _array(path: Path) -> np.ndarray:
    try:
        found: np.ndarray = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} must hold image features: dvc repro predict. {error}") from None
    return found
