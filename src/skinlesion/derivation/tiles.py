"""Measure the tiles of any number of lesions, a few at a time."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from skinlesion.dataset import images, stores, threads
from skinlesion.derivation import tile_colour, tile_shape

__all__ = ["PX", "measure"]

PX = 64  # of the tile that is measured
AT_A_TIME = 1024  # tiles whose reading is asked for at once
MEASURES: dict[str, tuple[tuple[str, ...], Callable[[np.ndarray], np.ndarray]]] = {
    "colour": (tile_colour.NAMES, tile_colour.measure),
    "shape": (tile_shape.NAMES, tile_shape.measure),
}


def measure(
    isic_ids: Sequence[str],
    store: stores.Store,
    kinds: Sequence[str],
    *,
    progress: Callable[[int], object] = lambda n: None,
) -> dict[str, np.ndarray]:
    """Measure tiles.

    Args:
        isic_ids: The lesions.
        store: Their tiles.
        kinds: Of "colour" and "shape".
        progress: Called now and then with the number of tiles measured since.

    Returns:
        By name, shape (n_lesions,), float32; NaN where a tile is absent or cannot be read. A
        tile's numbers are its own: they do not depend on what else is measured.
    """
    names = _names(kinds)
    found = np.empty((len(names), len(isic_ids)), np.float32)
    with ThreadPoolExecutor(threads.n_threads()) as pool:
        for i in range(0, len(isic_ids) if names else 0, AT_A_TIME):
            some = isic_ids[i : i + AT_A_TIME]
            rows = pool.map(lambda isic_id: _measured(isic_id, store, kinds), some)
            found[:, i : i + len(some)] = np.stack(list(rows), axis=1)
            progress(len(some))
    return dict(zip(names, found, strict=True))


def _names(kinds: Sequence[str]) -> list[str]:
    return [name for kind in kinds for name in MEASURES[kind][0]]


def _measured(isic_id: str, store: stores.Store, kinds: Sequence[str]) -> np.ndarray:
    try:
        tile = images.tile(store.read(isic_id), px=PX)
    except images.ImageError:
        return np.full(len(_names(kinds)), np.nan)
    return np.concatenate([MEASURES[kind][1](tile) for kind in kinds])
