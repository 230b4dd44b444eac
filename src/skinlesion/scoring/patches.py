"""Patches of a tile, each hidden in turn, to see what a network's output owes to it.

Source:
    Zeiler and Fergus (2014), https://arxiv.org/abs/1311.2901
"""

import math
from collections.abc import Iterator
from itertools import product

import numpy as np

__all__ = ["hidden", "n_places", "places"]


def n_places(fraction: float) -> int:
    """Count the places of a patch along one side of a tile, at most half its width apart.

    Args:
        fraction: Width of the patch, as a share of the tile's; in (0, 1).

    Returns:
        At least 2: the first patch touches one border of the tile, the last the other.
    """
    return 1 + math.ceil(round(2 * (1 - fraction) / fraction, 6))


def places(fraction: float, px: int) -> tuple[np.ndarray, int]:
    """Place patches along a side of a tile.

    Args:
        fraction: Width of the patch, as a share of the tile's; in (0, 1).
        px: The side, in pixels.

    Returns:
        The first pixel of each patch, shape (n_places,), and their width in pixels.
    """
    width = max(1, round(fraction * px))
    starts = np.linspace(0, px - width, n_places(fraction)).round().astype(int)
    return starts, width


def hidden(tile: np.ndarray, *, fraction: float) -> Iterator[np.ndarray]:
    """Hide each patch of a tile under the colour of the skin around the lesion.

    Args:
        tile: Shape (px, px, 3), uint8.
        fraction: Width of the patch, as a share of the tile's; in (0, 1).

    Yields:
        n_places ** 2 tiles, row by row, each with one patch in the median colour of the
        tile's border.
    """
    starts, width = places(fraction, len(tile))
    colour = _border_colour(tile)
    for top, left in product(starts, starts):
        patched = tile.copy()
        patched[top : top + width, left : left + width] = colour
        yield patched


def _border_colour(tile: np.ndarray) -> np.ndarray:
    margin = max(1, len(tile) // 16)
    border = np.ones(tile.shape[:2], bool)
    border[margin:-margin, margin:-margin] = False
    return np.asarray(np.median(tile[border], axis=0).round().astype(np.uint8))
