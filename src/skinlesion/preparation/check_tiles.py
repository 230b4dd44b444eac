"""The tiles of a challenge folder: that each decodes, shows something, and has a row."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from skinlesion.dataset import images, stores
from skinlesion.preparation import check_table
from skinlesion.preparation.findings import Findings, Part

__all__ = ["Look", "Tiles", "inspect"]


@dataclass(frozen=True)
class Tiles:
    """The sizes of the tiles that could be decoded."""

    width_px: np.ndarray  # shape (n_tiles,)
    height_px: np.ndarray  # shape (n_tiles,)


@dataclass(frozen=True)
class _Seen:
    """What a look at one tile gave."""

    size: tuple[int, int] | None = None  # width, height; None: it does not decode
    error: str = ""
    warning: str = ""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How tiles are looked at."""

    known: Collection[str] = ()  # further isic_ids whose tiles need no row
    min_side_px: int = 1  # `data.min_side_px`, the least width and height of a tile
    progress: Callable[..., Any] = tqdm  # wraps the iteration over the tiles, as tqdm does


def inspect(part: Part, findings: Findings, look: Look) -> Tiles:
    """Decode every tile that a table names.

    A broken or too small tile is an error in training and a warning in the test half, since a
    test lesion is scored whatever its tile; unless no test tile can be read. A tile of one colour
    is a warning, as are a tile without a row and another number of tiles than of rows.

    Args:
        part: The half.
        findings: What is wrong is added here.
        look: How tiles are looked at.

    Returns:
        The sizes of the tiles that could be decoded.
    """
    if part.without_tiles:
        what = f"{part.table_name}: it has no tiles, so a model of it can read the table only"
        findings.warnings[what] += []
        return Tiles(*np.empty((2, 0), int))
    isic_ids, kept = check_table.isic_ids(part.table), set(part.store.ids())
    # One after the other: threads would wait for HDF5's lock and Python's, and take longer.
    named = look.progress(isic_ids, total=len(isic_ids), desc=part.store_name)
    seen = [_look(part.store, isic_id, look.min_side_px) for isic_id in named]
    errors = findings.errors if part.training else findings.warnings
    _group(errors, part, isic_ids, [tile.error for tile in seen])
    _group(findings.warnings, part, isic_ids, [tile.warning for tile in seen])
    sizes = [tile.size for tile in seen if tile.size]
    if not sizes and not part.training and kept.intersection(isic_ids):
        findings.errors[f"{part.store_name}: must hold a tile that can be read"] += [*isic_ids]
    _compare(isic_ids, kept - set(look.known), part, findings)
    found = np.array(sizes, int).reshape(-1, 2)
    return Tiles(width_px=found[:, 0], height_px=found[:, 1])


def _look(store: stores.Store, isic_id: str, min_side_px: int) -> _Seen:
    try:
        image = images.decode(store.read(isic_id))
    except images.ImageError as error:
        return _Seen(error=str(error))
    height, width, _ = image.shape
    if min(width, height) < min_side_px:
        least = f"must have {min_side_px} pixels or more either way (data.min_side_px)"
        return _Seen((width, height), f"{least}. Got {width} x {height} first.")
    return _Seen((width, height), warning="it is of one colour" if _is_uniform(image) else "")


def _is_uniform(image: np.ndarray) -> bool:
    # The middle tells nearly always, at a hundredth of the time.
    first, middle = image[0, 0], image[image.shape[0] // 2, image.shape[1] // 2]
    return bool((first == middle).all() and (image == first).all())


def _group(
    found: dict[str, list[str]], part: Part, isic_ids: Iterable[str], reasons: Iterable[str]
) -> None:
    first: dict[str, str] = {}
    for isic_id, reason in zip(isic_ids, reasons, strict=True):
        if reason:
            # Reasons that differ in a number or some bytes only are one group.
            known = first.setdefault(re.sub(r"b(['\"]).*?\1|\d+", "", reason), reason)
            found[f"{part.store_name}: {known}"].append(isic_id)


def _compare(isic_ids: pd.Series, kept: set[str], part: Part, findings: Findings) -> None:
    """Compare what a store holds with what a table names: damage may change a list in silence."""
    orphans, absent = sorted(kept.difference(isic_ids)), sorted(set(isic_ids) - kept)
    if orphans:
        what = f"{part.store_name}: a tile has no row in {part.table_name}"
        findings.warnings[what] += orphans
    if len(kept) != len(isic_ids):
        counts = f"{len(kept):,} tiles, {part.table_name} {len(isic_ids):,} rows"
        what = f"{part.store_name}: it holds {counts}. Is it whole?"
        findings.warnings[what] += absent or orphans
