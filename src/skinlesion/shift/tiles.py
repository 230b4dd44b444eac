"""How large and how bright tiles are."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from skinlesion.dataset import images, stores, threads

__all__ = ["MOST", "measure", "some"]

MOST = 20_000  # tiles that are measured of a set


def some(patients: pd.Series) -> np.ndarray:
    """Choose the lesions whose tiles are measured: all, or those of some patients.

    Args:
        patients: patient_id of each lesion.

    Returns:
        Shape (n_lesions,), bool: patients in the order of a hash of their names, until there are
        MOST lesions.
    """
    if len(patients) <= MOST:
        return np.ones(len(patients), bool)
    codes = pd.util.hash_array(patients.astype(str).to_numpy(object))
    order = np.argsort(codes, kind="stable")
    chosen = np.zeros(len(patients), bool)
    chosen[order[:MOST]] = True
    return chosen


def measure(isic_ids: Sequence[str], store: stores.Store) -> pd.DataFrame:
    """Measure tiles.

    Args:
        isic_ids: The lesions.
        store: Their tiles.

    Returns:
        One row per lesion: tile_px, the shorter side, and tile_brightness, the mean of all pixels,
        0 to 255; NaN where the tile is absent or cannot be read.
    """
    with ThreadPoolExecutor(threads.n_threads()) as pool:
        found = list(pool.map(lambda isic_id: _measured(isic_id, store), isic_ids))
    return pd.DataFrame(found, columns=["tile_px", "tile_brightness"], dtype=np.float64)


def _measured(isic_id: str, store: stores.Store) -> tuple[float, float]:
    try:
        pixels = images.decode(store.read(isic_id))
    except images.ImageError:
        return np.nan, np.nan
    return float(min(pixels.shape[:2])), float(pixels.mean())
