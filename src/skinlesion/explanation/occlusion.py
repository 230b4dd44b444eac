"""Where the image branch looks: a tile is hidden patch by patch, and the fall of the logit drawn.

Chosen over maps of gradients: it needs the network's output only, so every backend gives it, and
its resolution is that of the patches; at 64 px an EfficientNetV2 ends in 2 x 2 cells.

Source:
    Zeiler and Fergus (2014), https://arxiv.org/abs/1311.2901
"""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from scipy.ndimage import gaussian_filter1d
from tqdm import tqdm

from skinlesion.dataset import batches, images, stores
from skinlesion.explanation import branches
from skinlesion.scoring import executor, patches

__all__ = [
    "COOL",
    "WARM",
    "Piece",
    "drawn",
    "drops",
    "hidden_logits",
    "spread",
    "write",
]

# Vermilion and blue, which colour-blind people tell apart: Okabe and Ito (2008),
# https://jfly.uni-koeln.de/color/
WARM, COOL = (213, 94, 0), (0, 114, 178)
MIDDLE_GREY, DARKEST_GREY = 170, 80  # all tiles alike, since colours do not show on black
MAX_OPACITY = 0.7  # so that the tile is still to be seen
MAX_TILE_PX, MIN_MAP_PX = 256, 192


@dataclass(frozen=True)
class Piece:
    """Some of the patches of lesions, counted lesion by lesion, each hidden in turn."""

    fold: int  # of the model
    lesions: batches.Lesions  # without a store
    fraction: float  # width of a patch, as a share of the tile's
    numbers: range  # of the patches
    batch_size: int


def drops(
    members: list[branches.Member],
    n_lesions: int,
    run: executor.Executor,
    fraction: float,
    *,
    batch_size: int,
) -> np.ndarray | None:
    """Hide each patch of each tile, and measure how far the mean logit of the models falls.

    Args:
        members: From `branches.read`.
        n_lesions: How many lesions were read.
        run: Has the same models, and the tiles.
        fraction: Width of the patch, as a share of the tile's; in (0, 1).
        batch_size: Tiles per step.

    Returns:
        Shape (n_lesions, n_places, n_places), positive where hiding lowers the logit; None
        where no model has an image branch. The tabular features stay as they are.
    """
    seeing = [m for m in members if m.model.image_branch is not None]
    if not seeing:
        return None
    n = patches.n_places(fraction)
    total = sum(len(m.rows) for m in seeing) * n**2
    size = executor.piece_size(total, batch_size, run.min_pieces)
    pieces = (piece for m in seeing for piece in _pieces(m, fraction, size, batch_size))
    with tqdm(total=total, desc="patches", unit="patch", mininterval=1, maxinterval=30) as bar:
        after = np.concatenate(list(run.map(hidden_logits, pieces, bar.update)))
    found, start = np.zeros((n_lesions, n, n)), 0
    for m in seeing:
        before = m.model.logits(m.pooled, m.lesions.tabular)
        own = after[start : start + len(m.rows) * n**2].reshape(-1, n, n)
        found[m.rows] += m.weight * (before[:, np.newaxis, np.newaxis] - own)
        start += own.size
    return found


def hidden_logits(
    models: Mapping[int, branches.CutModel],
    store: stores.Store,
    piece: Piece,
    on_batch: Callable[[int], object],
) -> np.ndarray:
    """Compute the logit of a lesion under each of its patches.

    Args:
        models: By fold; that of the piece has an image branch.
        store: The tiles.
        piece: Which patches of which lesions.
        on_batch: Called after each batch with its number of patches.

    Returns:
        Shape (len(piece.numbers),), float64, on the true prior.

    Raises:
        images.ImageError: A tile cannot be read.
    """
    m, n = models[piece.fold], piece.batch_size
    patched = islice(_patched(store, piece), piece.numbers.start, piece.numbers.stop)
    rows = np.asarray(piece.numbers) // patches.n_places(piece.fraction) ** 2
    found = []
    for i in range(0, len(rows), n):
        part = rows[i : i + n]
        tiles = np.stack(list(islice(patched, n)))
        filled = np.pad(tiles, [(0, n - len(tiles)), (0, 0), (0, 0), (0, 0)])
        found.append(m.logits(m.pooled(filled)[: len(part)], piece.lesions.tabular[part]))
        on_batch(len(part))
    return np.concatenate(found)


def write(
    lesions: pd.DataFrame,
    drops: np.ndarray | None,
    store: stores.Store | None,
    out: Path,
    *,
    fraction: float,
) -> pd.DataFrame:
    """Write the tile of each lesion, <isic_id>.png, and its map, <isic_id>-occlusion.png.

    Args:
        lesions: From `permutation.most_wrong`.
        drops: From `drops`, of these lesions.
        store: The tiles; None where there are none at all.
        out: The folder to write into.
        fraction: Width of the patch, as for `drops`.

    Returns:
        kind, isic_id, patient_id, rank and n_lesions; tile and occlusion, the names of the
        files, and largest_drop, that of the logit under one patch; the last two are empty
        without drops, and tile where there are no tiles at all. All maps have the same scale, so
        that they can be compared.

    Raises:
        images.ImageError: A tile cannot be read.
    """
    table = lesions.drop(columns="fold").assign(
        tile=lesions["isic_id"] + ".png", occlusion="", largest_drop=np.nan
    )
    if store is None:
        return table.assign(tile="")
    tiles = [_tile(store, isic_id) for isic_id in lesions["isic_id"]]
    for name, tile in zip(table["tile"], tiles, strict=True):
        (out / name).write_bytes(_png(tile))
    if drops is None:
        return table
    table["occlusion"] = lesions["isic_id"] + "-occlusion.png"
    table["largest_drop"] = drops.max(axis=(1, 2)).round(6)
    sizes = [max(MIN_MAP_PX, len(tile)) for tile in tiles]
    maps = [spread(d, fraction=fraction, px=px) for d, px in zip(drops, sizes, strict=True)]
    # One scale for all; its end is not left to the one tile with the largest drop.
    limit = float(np.quantile([np.abs(values).max() for values in maps], 0.75))
    for name, tile, values in zip(table["occlusion"], tiles, maps, strict=True):
        (out / name).write_bytes(_png(drawn(tile, values, limit=limit)))
    return table


def spread(drops: np.ndarray, *, fraction: float, px: int) -> np.ndarray:
    """Give each pixel the mean drop over the patches that cover it, then smooth.

    Args:
        drops: Shape (n_places, n_places), one per patch.
        fraction: Width of the patch, as for `hidden`.
        px: Width and height of the map, in pixels, whatever the network saw.

    Returns:
        Shape (px, px), within the range of the drops. The smoothing is a Gaussian of a quarter
        of the patch's width; it takes the edges off the patches.
    """
    starts, width = patches.places(fraction, px)
    pixels = np.arange(px)[:, np.newaxis]
    covers = (starts <= pixels) & (pixels < starts + width)  # (px, n_places)
    # The patches are a grid: the mean over those of a pixel is one over rows, then columns.
    share = covers / covers.sum(axis=1, keepdims=True)
    share = gaussian_filter1d(share, width / 4, axis=0, mode="nearest")
    return np.asarray(share @ drops @ share.T)


def drawn(tile: np.ndarray, values: np.ndarray, *, limit: float) -> np.ndarray:
    """Draw a map over its tile.

    Args:
        tile: Shape (height, width, 3), uint8.
        values: Shape (px, px), from `spread`.
        limit: The value of the strongest colour. Maps of the same limit can be compared.

    Returns:
        Shape (px, px, 3), uint8: the tile in grey, under WARM where hiding it lowers the logit
        and COOL where hiding it raises it, the more opaque the further; bare at 0.
    """
    grey = Image.fromarray(tile).convert("L").resize(values.shape[::-1], Image.Resampling.BICUBIC)
    shade = np.asarray(grey, np.float64)[..., np.newaxis]
    shade = np.clip(shade * MIDDLE_GREY / max(np.median(shade), 1), DARKEST_GREY, 255)
    strength = np.clip(values / (limit or 1), -1, 1)[..., np.newaxis]
    opacity = MAX_OPACITY * np.abs(strength)
    colour = np.where(strength > 0, WARM, COOL)
    blended = (1 - opacity) * shade + opacity * colour
    return np.asarray(blended.round().astype(np.uint8))


def _pieces(m: branches.Member, fraction: float, size: int, batch_size: int) -> Iterator[Piece]:
    """Cut the patches of all lesions of a member into pieces of whole batches."""
    each = patches.n_places(fraction) ** 2
    total = len(m.rows) * each
    for start in range(0, total, size):
        stop = min(start + size, total)
        touched = np.arange(start // each, (stop - 1) // each + 1)
        numbers = range(start - touched[0] * each, stop - touched[0] * each)
        lesions = batches.select(m.lesions, touched)
        yield Piece(m.fold, lesions, fraction, numbers, batch_size)


def _patched(store: stores.Store, piece: Piece) -> Iterator[np.ndarray]:
    lesions = replace(piece.lesions, store=store)
    for inputs, unread in batches.scoring(lesions, batch_size=piece.batch_size):
        for tile in inputs["image"][: len(unread)]:
            yield from patches.hidden(tile, fraction=piece.fraction)


def _tile(store: stores.Store, isic_id: str) -> np.ndarray:
    try:
        image = images.decode(store.read(isic_id))
    except images.ImageError as error:
        raise images.ImageError(f"{isic_id}: {error}") from None
    return images.square(image, px=min(*image.shape[:2], MAX_TILE_PX))


def _png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png")
    return file.getvalue()
