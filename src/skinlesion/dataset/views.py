"""Views of tiles: the same tile flipped and turned, over which outputs are averaged."""

from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias

import numpy as np

__all__ = ["N", "averaged", "of"]

N: TypeAlias = Literal[1, 4, 8]  # the tile; with its quarter turns; with their mirror images, too
Inputs: TypeAlias = dict[str, np.ndarray]


def of(tiles: np.ndarray, n_views: N) -> Iterator[np.ndarray]:
    """Yield the views of tiles; the first is the tiles themselves.

    Args:
        tiles: Shape (n, px, px, 3).
        n_views: How many.

    Yields:
        The same shape. A lesion has no upper side, so each view is as good as the others.
    """
    for mirrored in (tiles, tiles[:, :, ::-1])[: 1 + n_views // 8]:
        for n_turns in range(min(n_views, 4)):
            yield np.ascontiguousarray(np.rot90(mirrored, n_turns, axes=(1, 2)))


def averaged(run: Callable[[Inputs], np.ndarray], n_views: N) -> Callable[[Inputs], np.ndarray]:
    """Average what a network gives over the views of its tiles.

    It takes n_views times as long. Flipping or turning a tile then changes rounding alone.

    Args:
        run: From a batch of inputs to an array.
        n_views: How many; with 1, `run` itself is returned.

    Returns:
        As `run`; the average is float64. Inputs without tiles are run once.
    """
    if n_views == 1:
        return run

    def mean(inputs: Inputs) -> np.ndarray:
        if "image" not in inputs:
            return run(inputs)
        found = [
            np.asarray(run(inputs | {"image": view}), np.float64)
            for view in of(inputs["image"], n_views)
        ]
        return np.asarray(sum(found) / len(found))

    return mean
