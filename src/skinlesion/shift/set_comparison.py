"""Compare the test set and the holdout with the training lesions, and mark single ones."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skinlesion.dataset import metadata, stores
from skinlesion.shift import comparison, marks, profile, tally, tiles
from skinlesion.shift.sets import Sets

__all__ = ["compare", "summary", "write"]

COMPARED = ("test", "holdout")  # the sets that no model learnt from


def compare(sets: Sets, known: profile.Profile, out: Path) -> dict[str, Any]:
    """Compare the sets with the profile, and mark their lesions.

    Args:
        sets: From `sets.read`.
        known: From `sets.learn`.
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
        known: From `sets.learn`.
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


def _go_through(
    sets: Sets,
    name: str,
    known: profile.Profile,
    counting: tuple[tally.Tally, tally.Images | None],
    path: Path,
) -> int:
    """Count a set's lesions, write their marks, and return how many are marked."""
    n_marked = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("isic_id,image_distance,shift\n")
        for part, sketches in sets.pieces(name):
            _count(part, sketches, *counting)
            marked = marks.of(part, known, sketches)
            n_marked += sum(map(bool, marked.reasons))
            table = part[["isic_id"]].assign(
                image_distance=marked.image_distance, shift=marked.reasons
            )
            table.to_csv(file, index=False, header=False, float_format="%.4g")
    return n_marked


def _count(
    part: pd.DataFrame,
    sketches: np.ndarray | None,
    counted: tally.Tally,
    images: tally.Images | None,
) -> None:
    counted.add(part)
    if images is not None and sketches is not None:
        images.add(sketches)


def _tiles(sets: Sets, name: str) -> pd.DataFrame:
    """Measure tiles of a set."""
    is_test = name == "test"
    table = sets.folder.test_metadata if is_test else sets.predictions / f"{name}.csv"
    wanted = [c for c in ("isic_id", "patient_id") if c in metadata.header(table)]
    lesions = metadata.read(table, columns=wanted)
    chosen = tiles.some(lesions[wanted[-1]])
    images = sets.folder.test_images if is_test else sets.folder.train_images
    return tiles.measure(lesions.loc[chosen, "isic_id"].tolist(), stores.open_store(images))
