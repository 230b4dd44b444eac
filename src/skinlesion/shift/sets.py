"""Profile the training lesions, and compare the test set and the holdout with them."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skinlesion.dataset import challenge, metadata, partition, stores
from skinlesion.errors import InputError
from skinlesion.shift import comparison, image, marks, profile, tables, tally, tiles

__all__ = ["Files", "Sets", "compare", "learn", "read", "summary", "write"]

PROFILE = "profile.json"
COMPARED = ("test", "holdout")  # the sets that no model learnt from


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


def compare(sets: Sets, known: profile.Profile, out: Path) -> dict[str, Any]:
    """Compare the sets with the profile, and mark their lesions.

    Args:
        sets: From `read`.
        known: From `learn`.
        out: The folder to write test.csv, holdout.csv and oof.csv into: isic_id, image_distance
            and shift, one row per lesion.

    Returns:
        By set, as `comparison.compare`, and n_marked, with what share that is.
    """
    found = {}
    for name in (*COMPARED, "oof"):
        counted, images = tally.Tally(known.columns), None
        if known.image is not None:
            images = tally.Images.none(known.image)
        n_marked = _go_through(sets, name, known, (counted, images), out / f"{name}.csv")
        if name in COMPARED and counted.n_lesions:
            counted.add_columns(_tiles(sets, name))
            found[name] = comparison.compare(known, counted, images)
            found[name] |= {"n_marked": n_marked}
    return found


def write(path: Path, known: profile.Profile, found: dict[str, Any]) -> None:
    """Write a comparison.

    Args:
        path: metrics/shift.json.
        known: From `learn`.
        found: From `compare`.
    """
    training = {"n_lesions": known.sizes.n_lesions, "n_patients": known.sizes.n_patients}
    readings = {"some": comparison.SOME, "much": comparison.MUCH, "level": comparison.LEVEL}
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"training": training, "readings": readings, "sets": found}
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def summary(found: dict[str, Any]) -> str:
    """Say in a line per set how it differs from the training lesions.

    Args:
        found: From `compare`.
    """
    lines = []
    for name, of in found.items():
        n = len(of["alarms"])
        lines.append(
            f"{name}: {n} of {len(of['columns'])} columns much unlike the training lesions; "
            f"{of['n_marked']:,} of {of['n_lesions']:,} lesions far outside"
        )
    return "\n".join(lines)


def _tiles(sets: Sets, name: str) -> pd.DataFrame:
    """Measure tiles of a set."""
    is_test = name == "test"
    table = sets.folder.test_metadata if is_test else sets.predictions / f"{name}.csv"
    wanted = [c for c in ("isic_id", "patient_id") if c in metadata.header(table)]
    lesions = metadata.read(table, columns=wanted)
    chosen = tiles.some(lesions[wanted[-1]])
    images = sets.folder.test_images if is_test else sets.folder.train_images
    return tiles.measure(lesions.loc[chosen, "isic_id"].tolist(), stores.open_store(images))


def _image(sets: Sets) -> image.Image | None:
    oof = metadata.read(sets.predictions / "oof.csv", columns=["patient_id", "fold"])
    fold = int(oof["fold"].min()) if len(oof) else 0
    own = oof.loc[oof["fold"] == fold, "patient_id"]
    sketches = _array(sets.predictions / "image-oof.npy")
    if not sketches.shape[1]:
        return None
    return image.fit(sketches, profile.numbered(own), fold=fold)


def _go_through(
    sets: Sets,
    name: str,
    known: profile.Profile,
    counting: tuple[tally.Tally, tally.Images | None],
    path: Path,
) -> int:
    counted, images = counting
    n_marked = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("isic_id,image_distance,shift\n")
        for part, sketches in sets.pieces(name):
            counted.add(part)
            if images is not None and sketches is not None:
                images.add(sketches)
            marked = marks.of(part, known, sketches)
            table = pd.DataFrame(
                {
                    "isic_id": part["isic_id"],
                    "image_distance": marked.image_distance,
                    "shift": marked.reasons,
                }
            )
            n_marked += int((table["shift"] != "").sum())
            table.to_csv(file, index=False, header=False, float_format="%.4g")
    return n_marked


def _array(path: Path) -> np.ndarray:
    try:
        found: np.ndarray = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} must hold image features: dvc repro predict. {error}") from None
    return found
