"""The test set: lesions whose target is not known, of which some tiles may be unreadable."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from skinlesion.dataset import metadata
from skinlesion.errors import InputError
from skinlesion.scoring import scale, spread

__all__ = [
    "Scored",
    "isic_ids",
    "joined",
    "median_for_unreadable",
    "summary",
    "write",
]

N_AT_A_TIME = 4096  # rows of the table


@dataclass(frozen=True)
class Scored:
    """A test set with its scores."""

    isic_ids: pd.Series
    scores: np.ndarray  # shape (n_lesions,), float64; the median where the tile is unreadable
    unreadable: pd.DataFrame  # isic_id and reason
    spread: pd.DataFrame  # isic_id and `spread.COLUMNS`


def isic_ids(metadata_csv: Path) -> pd.Series:
    """List the lesions of a metadata table, before hours go into scoring them.

    Args:
        metadata_csv: One row per lesion.

    Returns:
        Their isic_id, in the order of the table.

    Raises:
        InputError: There is no lesion, or an isic_id is missing or occurs twice.
    """
    parts = metadata.chunks(metadata_csv, columns=["isic_id"], n_lesions=N_AT_A_TIME)
    found, hashes = [], []
    for part in parts:
        found.append(part["isic_id"])
        hashes.append(pd.util.hash_array(part["isic_id"].to_numpy(object)))
    joined = pd.concat(found, ignore_index=True)
    _require_distinct(joined, np.concatenate(hashes), metadata_csv)
    return joined


def joined(pieces: Iterable[pd.DataFrame], isic_ids: pd.Series) -> Scored:
    """Join the pieces of a test set.

    Args:
        pieces: From `predict.score`, of the whole table, image features left out.
        isic_ids: From `isic_ids`, of the same table.

    Raises:
        InputError: No tile could be read.
    """
    logits, unreadable, spreads = [], [], []
    for piece in pieces:
        logits.append(piece["logit"].to_numpy())
        spreads.append(piece[list(spread.COLUMNS)])
        unreadable.append(piece.loc[piece["reason"] != "", ["isic_id", "reason"]])
    scores = scale.probability(median_for_unreadable(np.concatenate(logits)))
    beside = pd.concat(spreads, ignore_index=True)
    beside.insert(0, "isic_id", isic_ids)
    return Scored(isic_ids, scores, pd.concat(unreadable), beside)


def median_for_unreadable(logits: np.ndarray) -> np.ndarray:
    """Give lesions without a readable tile the median of the others.

    Args:
        logits: Shape (n_lesions,), NaN for those without.

    Returns:
        The same, all finite.

    Raises:
        InputError: No tile could be read.
    """
    if np.isnan(logits).all():
        raise InputError("predict: at least one tile must be readable. Got none.")
    return np.where(np.isnan(logits), np.nanmedian(logits), logits)


def write(scored: Scored, out: Path) -> None:
    """Write submission.csv (isic_id, target) and unreadable.csv (isic_id, reason).

    Args:
        scored: From `joined`.
        out: The folder to write into.
    """
    table = pd.DataFrame({"isic_id": scored.isic_ids, "target": scored.scores})
    table.to_csv(out / "submission.csv", index=False)
    scored.unreadable.to_csv(out / "unreadable.csv", index=False)


def summary(scored: Scored, *, n_models: int) -> str:
    """Say in a line what was scored.

    Args:
        scored: From `joined`.
        n_models: Whose logits were averaged.
    """
    return (
        f"predict: {len(scored.scores):,} test lesions scored by {n_models} model(s), "
        f"{len(scored.unreadable):,} of them without a readable tile"
    )


def _require_distinct(isic_ids: pd.Series, hashes: np.ndarray, metadata_csv: Path) -> None:
    if not len(isic_ids):
        raise InputError(f"{metadata_csv} must hold lesions. It holds none.")
    if isic_ids.isna().any():
        row = int(isic_ids.isna().to_numpy().argmax()) + 2  # as a spreadsheet numbers it
        raise InputError(f"{metadata_csv} must name every lesion. Row {row} has no isic_id.")
    # To look for equal names themselves takes ten times their memory; hashes are rarely equal.
    hashes.sort()
    if (hashes[1:] == hashes[:-1]).any() and not isic_ids.is_unique:
        twice = isic_ids[isic_ids.duplicated()].iloc[0]
        raise InputError(f"{metadata_csv} must name each isic_id once. Got {twice} again.")
