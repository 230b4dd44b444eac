"""The tiles of a challenge folder: that each decodes, and has a row in the table."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from skinlesion.dataset import images, stores
from skinlesion.preparation.findings import Findings, Part

__all__ = ["Tiles", "inspect"]


@dataclass(frozen=True)
class Tiles:
    """The sizes of the tiles that could be decoded."""

    width_px: np.ndarray  # shape (n_tiles,)
    height_px: np.ndarray  # shape (n_tiles,)


def inspect(
    part: Part,
    findings: Findings,
    *,
    known: Iterable[str] = (),
    progress: Callable[..., Any] = tqdm,
) -> Tiles:
    """Decode every tile that a table names.

    A broken tile is an error in training and a warning in the test half, since a test lesion
    is scored whatever its tile. A tile without a row is a warning.

    Args:
        part: The half.
        findings: What is wrong is added here.
        known: Further isic_ids whose tiles need no row.
        progress: Wraps the iteration over the tiles, as tqdm does.

    Returns:
        The sizes of the tiles that could be decoded.
    """
    isic_ids = part.table.get("isic_id", pd.Series(dtype=str)).dropna().astype(str)
    found = findings.errors if part.training else findings.warnings
    sizes = _tiles(isic_ids[isic_ids.str.strip() != ""], part, found, progress)
    _orphans(isic_ids, part, findings, known)
    return sizes


def _tiles(
    isic_ids: pd.Series, part: Part, found: dict[str, list[str]], progress: Callable[..., Any]
) -> Tiles:
    # One after the other: threads would wait for HDF5's lock and Python's, and take longer.
    named = progress(isic_ids, total=len(isic_ids), desc=part.store_name)
    sizes = [_size(part.store, isic_id) for isic_id in named]
    first: dict[str, str] = {}
    for isic_id, size in zip(isic_ids, sizes, strict=True):
        if isinstance(size, str):
            # Reasons that differ in a number or some bytes only are one group.
            reason = first.setdefault(re.sub(r"b(['\"]).*?\1|\d+", "", size), size)
            found[f"{part.store_name}: {reason}"].append(isic_id)
    known = np.array([s for s in sizes if not isinstance(s, str)], int).reshape(-1, 2)
    return Tiles(width_px=known[:, 0], height_px=known[:, 1])


def _orphans(isic_ids: pd.Series, part: Part, findings: Findings, known: Iterable[str]) -> None:
    orphans = sorted(set(part.store.ids()) - set(isic_ids) - set(known))
    if orphans:
        findings.warnings[f"{part.store_name}: a tile has no row in {part.table_name}"] += orphans


def _size(store: stores.Store, isic_id: str) -> tuple[int, int] | str:
    try:
        height, width, _ = images.decode(store.read(isic_id)).shape
    except images.ImageError as error:
        return str(error)
    return width, height
