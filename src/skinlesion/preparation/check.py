"""Validate a challenge folder before anything is spent on it, and count what it holds."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skinlesion.dataset import challenge, metadata, stores
from skinlesion.preparation import check_ids, check_table, check_tiles
from skinlesion.preparation.check_tiles import Look, Tiles
from skinlesion.preparation.findings import Findings, Part

__all__ = [
    "Findings",
    "Look",
    "Part",
    "Tiles",
    "counts",
    "inspect",
    "leave_out",
    "lesions",
    "read",
    "summary",
]


def read(files: challenge.Files, findings: Findings, *, exclude: Iterable[str]) -> dict[str, Part]:
    """Read both halves of a challenge folder.

    Args:
        files: Where they are.
        findings: What is wrong with `exclude` is added here.
        exclude: `data.exclude`, left out of the training table.

    Returns:
        Under "train" and "test".

    Raises:
        InputError: A file is absent, or cannot be read at all.
    """
    kept = leave_out(metadata.read(files.train_metadata), exclude, findings)
    return {
        "train": _part(kept, files.train_metadata, files.train_images, training=True),
        "test": _part(
            metadata.read(files.test_metadata),
            files.test_metadata,
            files.test_images,
            training=False,
        ),
    }


def summary(parts: Mapping[str, Part], findings: Findings) -> str:
    """Say how much there is to learn from and to score, after a line for each warning.

    Args:
        parts: From `read`, without errors.
        findings: From `inspect`.
    """
    train, warnings = parts["train"].table, findings.lines("warnings")
    counted = (
        f"check: {len(train):,} lesions of {train['patient_id'].nunique():,} patients, "
        f"{int(train['target'].sum()):,} positives; {len(parts['test'].table):,} to score"
    )
    return "\n".join([*(f"warning: {line}" for line in warnings), counted])


def inspect(part: Part, findings: Findings, look: Look) -> Tiles:
    """Validate one half of a challenge folder: its table, and every tile.

    What is wrong with tiles: see `check_tiles.inspect`.

    Args:
        part: The half.
        findings: What is wrong is added here.
        look: How tiles are looked at.

    Returns:
        The sizes of the tiles that could be decoded.
    """
    check_table.inspect(part, findings)
    if not part.without_tiles:
        check_ids.inspect(part, findings)
    return check_tiles.inspect(part, findings, look)


def leave_out(lesions: pd.DataFrame, isic_ids: Iterable[str], findings: Findings) -> pd.DataFrame:
    """Leave lesions out on purpose.

    Args:
        lesions: The training table.
        isic_ids: `data.exclude`.
        findings: An isic_id that the table lacks is added here. Spaces around one do not count.

    Returns:
        The other lesions.
    """
    if "isic_id" not in lesions:
        return lesions
    excluded = {isic_id.strip() for isic_id in isic_ids}
    unknown = sorted(excluded - set(lesions["isic_id"]))
    if unknown:
        findings.errors["data.exclude: it must name lesions of the training table"] += unknown
    return lesions[~lesions["isic_id"].isin(excluded)]


def lesions(part: Part) -> pd.DataFrame:
    """Select what is learnt from: isic_id, patient_id, and target as the integer 0 or 1.

    Args:
        part: The training half, without errors.
    """
    return part.table[list(metadata.REQUIRED)].astype({"target": int})


def counts(lesions: pd.DataFrame, sizes: Tiles) -> dict[str, Any]:
    """Count what a table holds, for metrics/data.json.

    Args:
        lesions: A metadata table that `inspect` found right.
        sizes: From `inspect`.

    Returns:
        Lesions, patients, positives and prevalence where they are known, missing values per
        column that has any, the tiles' sizes in pixels, and how many lesions are of each licence
        and each attribution, where the table names them.
    """
    found: dict[str, Any] = {"n_lesions": len(lesions)}
    if "patient_id" in lesions:
        per_patient = lesions["patient_id"].value_counts()
        found["n_patients"] = len(per_patient)
        found["lesions_per_patient"] = _range(per_patient.to_numpy())
    if "target" in lesions:
        found["n_positives"] = int(lesions["target"].sum())
        found["prevalence"] = float(lesions["target"].mean())
    missing = lesions.isna().sum()
    found["missing"] = {c: int(n) for c, n in missing[missing > 0].items()}
    found["tile_px"] = _range(sizes.width_px) | {
        "n_not_square": int((sizes.width_px != sizes.height_px).sum())
    }
    for name, column in (("licences", "copyright_license"), ("attributions", "attribution")):
        if column in lesions:
            named = lesions[column].fillna("none given").value_counts().sort_index()
            found[name] = {str(text): int(n) for text, n in named.items()}
    return found


def _part(table: pd.DataFrame, metadata_csv: Path, tiles: Path, *, training: bool) -> Part:
    store = stores.open_store(tiles, rehearse=True)
    beside = tiles.resolve() == metadata_csv.parent.resolve()
    bare = beside and not store.ids()
    return Part(table, metadata_csv.name, store, tiles.name, training, without_tiles=bare)


def _range(values: np.ndarray) -> dict[str, Any]:
    if not len(values):
        return {}
    return {"min": int(values.min()), "median": float(np.median(values)), "max": int(values.max())}
