"""Plain measures of the shape of the darker blob at the middle of a tile."""

import numpy as np
from scipy import ndimage

from skinlesion.derivation import tile_colour

__all__ = ["NAMES", "blob", "measure"]

NAMES = tuple(
    f"blob_{name}"
    for name in (
        *("area", "eccentricity", "asymmetry", "border", "contrast"),
        *("l_sd", "a_sd", "b_sd", "distance"),
    )
)
MIN_PIXELS = 8  # a smaller blob is noise
MIN_CONTRAST = 1.0  # in L, of the middle against the rim; with less there is no blob
NONE = np.full(len(NAMES), np.nan)


def measure(tile: np.ndarray) -> np.ndarray:
    """Measure the darker blob.

    Args:
        tile: Shape (px, px, 3), uint8, the lesion at its centre.

    Returns:
        Shape (9,), float64, in the order of NAMES: area as a share of the tile; eccentricity of
        the ellipse of its second moments, in [0, 1); asymmetry, the share of it that a half turn
        about its centre of mass moves off it, in [0, 1]; border, perimeter squared by 4 pi area;
        contrast, how much darker than the skin around in L; standard deviations of L, a and b in
        it; distance of its centre from the tile's, as a share of half the width. NaN where there
        is no blob.
    """
    pixels = tile_colour.lab(tile)
    found = blob(pixels[0])
    if found is None:
        return NONE
    px, n = len(tile), int(found.sum())
    at = np.argwhere(found) - (px - 1) / 2  # (n, 2), from the tile's centre
    centre = at.mean(0)
    spread = np.linalg.eigvalsh(np.cov((at - centre).T, bias=True) + np.eye(2) / 12)
    inside, outside = pixels[:, found], pixels[0][~found]
    shape = [
        n / px**2,
        np.sqrt(1 - spread[0] / spread[1]),
        _asymmetry(found, centre),
        _perimeter(found) ** 2 / (4 * np.pi * n),
        outside.mean() - inside[0].mean() if len(outside) else np.nan,
    ]
    return np.array([*shape, *inside.std(1), np.sqrt((centre**2).sum()) / (px / 2)])


def blob(lightness: np.ndarray) -> np.ndarray | None:
    """Find the pixels of the darker blob.

    Those darker than halfway from the skin of the rim to the dark of the middle; of these the
    connected part that holds most of the middle, with its holes filled.

    Args:
        lightness: Shape (px, px), L.

    Returns:
        A mask, shape (px, px); None where the middle is hardly darker than the rim.
    """
    middle, rim = tile_colour.regions(len(lightness))
    skin, dark = np.median(lightness[rim]), np.percentile(lightness[middle], 25)
    if skin - dark < MIN_CONTRAST:
        return None
    parts, n_parts = ndimage.label(lightness < (skin + dark) / 2)
    sizes = np.bincount(parts[middle], minlength=n_parts + 1)
    sizes[0] = 0
    if not sizes.any():
        return None
    found = ndimage.binary_fill_holes(parts == sizes.argmax())
    return found if found.sum() >= MIN_PIXELS else None


def _asymmetry(found: np.ndarray, centre: np.ndarray) -> float:
    at = np.argwhere(found)
    turned = np.rint(2 * (centre + (len(found) - 1) / 2) - at).astype(int)
    within = ((turned >= 0) & (turned < len(found))).all(1)
    stays = found[tuple(turned[within].T)].sum()
    return float(1 - stays / len(at))


def _perimeter(found: np.ndarray) -> float:
    """Length of the outline in pixels, which on average over directions a circle's has.

    Sides between a pixel of the blob and one that is not, times pi / 4 (Cauchy and Crofton).
    """
    framed = np.pad(found, 1).astype(np.int8)
    sides = np.abs(np.diff(framed, axis=0)).sum() + np.abs(np.diff(framed, axis=1)).sum()
    return float(sides * np.pi / 4)
