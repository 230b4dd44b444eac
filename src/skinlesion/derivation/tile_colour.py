"""Colour statistics of a tile: of its middle, of its rim, and their difference."""

from functools import cache

import numpy as np

__all__ = ["MIDDLE", "NAMES", "RIM", "lab", "measure", "regions"]

CHANNELS = ("l", "a", "b")
STATISTICS = (
    *("middle_mean", "middle_sd", "middle_low"),
    *("rim_mean", "rim_sd"),
    *("difference", "difference_by_sd"),
)
NAMES = tuple(f"tile_{c}_{s}" for c in CHANNELS for s in STATISTICS)
# Distances from the centre, as shares of half the tile's width.
MIDDLE, RIM = 0.45, 0.85
LOW = 10  # the percentile of the middle that stands for its darkest part
# sRGB to XYZ, each row already divided by the white point D65.
XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
) / np.array([[0.95047], [1.0], [1.08883]])
_BYTES = np.arange(256) / 255
LINEAR = np.where(_BYTES <= 0.04045, _BYTES / 12.92, ((_BYTES + 0.055) / 1.055) ** 2.4)


def measure(tile: np.ndarray) -> np.ndarray:
    """Measure colours.

    Args:
        tile: Shape (px, px, 3), uint8, the lesion at its centre.

    Returns:
        Shape (21,), float64, in the order of NAMES: in CIELAB, of L, a and b each: mean, standard
        deviation and tenth percentile of the middle; mean and standard deviation of the rim; the
        difference of the means, and that by the rim's standard deviation + 1. No turn and no
        reflection of the tile changes them but by rounding.
    """
    pixels = lab(tile)
    middle, rim = (pixels[:, mask] for mask in regions(len(tile)))
    mean, sd, low = middle.mean(1), middle.std(1), np.percentile(middle, LOW, axis=1)
    rim_mean, rim_sd = rim.mean(1), rim.std(1)
    off = mean - rim_mean
    return np.column_stack([mean, sd, low, rim_mean, rim_sd, off, off / (rim_sd + 1)]).ravel()


def lab(tile: np.ndarray) -> np.ndarray:
    """Turn sRGB into CIELAB.

    Args:
        tile: Shape (height, width, 3), uint8.

    Returns:
        Shape (3, height, width), float64: L from 0 to 100, a and b about -100 to 100.

    Source:
        CIE 15:2004, Colorimetry; IEC 61966-2-1 (sRGB).
    """
    red, green, blue = (LINEAR[tile[:, :, i]] for i in range(3))
    x, y, z = (_root(r * red + g * green + b * blue) for r, g, b in XYZ)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@cache
def regions(px: int) -> tuple[np.ndarray, np.ndarray]:
    """Say which pixels are the middle and which the rim of a tile.

    Args:
        px: Its width and height.

    Returns:
        Two masks, shape (px, px). Each is its own mirror image, and its own quarter turn.
    """
    place = (np.arange(px) - (px - 1) / 2) / (px / 2)
    distance = np.sqrt(place[:, None] ** 2 + place[None] ** 2)
    return distance <= MIDDLE, distance >= RIM


def _root(t: np.ndarray) -> np.ndarray:
    return np.where(t > (6 / 29) ** 3, np.cbrt(t), t * (29 / 6) ** 2 / 3 + 4 / 29)
