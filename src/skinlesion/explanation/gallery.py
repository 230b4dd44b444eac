"""Draw where the image branch looks: tiles, and maps over them of the fall of the logit."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from scipy.ndimage import gaussian_filter1d

from skinlesion.dataset import images, stores
from skinlesion.scoring import patches

__all__ = ["COOL", "WARM", "drawn", "spread", "write"]

# Vermilion and blue, which colour-blind people tell apart: Okabe and Ito (2008),
# https://jfly.uni-koeln.de/color/
WARM, COOL = (213, 94, 0), (0, 114, 178)
MIDDLE_GREY, DARKEST_GREY = 170, 80  # all tiles alike, since colours do not show on black
MAX_OPACITY = 0.7  # so that the tile is still to be seen
MAX_TILE_PX, MIN_MAP_PX = 256, 192


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
