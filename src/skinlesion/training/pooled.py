"""Pooled features of lesions: what a frozen backbone gives, computed once and kept in a file."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd

from skinlesion.dataset import atomic, batches, views
from skinlesion.training import distribution

__all__ = ["Cache", "Table", "features"]

_N_DIGEST = hashlib.sha256().digest_size


class Table(NamedTuple):
    """Pooled features of lesions, each once."""

    isic_ids: np.ndarray  # shape (n_lesions,)
    features: np.ndarray  # shape (n_lesions, n_pooled), float32


@dataclass(frozen=True)
class Cache:
    """A file of pooled features, which all folds and all heads of one backbone share.

    Two processes may write it at once: each time it is complete, and what it lacks is computed
    again.
    """

    folder: Path
    key: str  # of all that decides the features, from `fingerprint.key`
    say: Callable[[str], None]  # called with a sentence that a user should know

    def load(self) -> Table | None:
        """Return the features; None where there is no intact file."""
        try:
            content = self._path.read_bytes()
        except OSError:
            return None
        if hashlib.sha256(content[:-_N_DIGEST]).digest() != content[-_N_DIGEST:]:
            self.say(f"{self._path} is damaged. Its features are computed again.")
            return None
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return Table(arrays["isic_ids"], arrays["features"])

    def save(self, table: Table) -> None:
        """Replace the file. A full disk loses it, not the training, and is reported.

        Args:
            table: All features.
        """
        file = io.BytesIO()
        np.savez(file, isic_ids=table.isic_ids.astype(str), features=table.features)
        file.write(hashlib.sha256(file.getbuffer()).digest())
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic.file(self._path) as kept:
                kept.write(file.getbuffer())
        except OSError as error:
            self.say(f"pooled features are not kept ({error}). Training continues.")

    @property
    def _path(self) -> Path:
        return self.folder / f"{self.key}-features.npz"


def features(
    network: keras.Model,
    lesions: batches.Lesions,
    *,
    n_views: views.N,
    batch_size: int,
    cache: Cache | None = None,
) -> np.ndarray:
    """Compute what a head sees of lesions: pooled features of the tile, then those of the table.

    Args:
        network: From `model.build`, without layers between these and its logit.
        lesions: Each once.
        n_views: Over which the features of a tile are averaged.
        batch_size: Tiles per step, of all devices together.
        cache: Read first, and written where it lacked some.

    Returns:
        Shape (n_lesions, n_pooled + n_features), float32.

    Raises:
        images.ImageError: A tile cannot be read.
    """
    if lesions.store is None:
        return lesions.tabular
    known = cache.load() if cache else None
    isic_ids = known.isic_ids if known else np.empty(0, str)
    missing = ~np.isin(lesions.isic_ids.astype(str), isic_ids)
    if known is None or missing.any():
        more = _computed(network, batches.select(lesions, missing), n_views, batch_size)
        known = Table(*map(np.concatenate, zip(known, more, strict=True))) if known else more
        if cache and distribution.current().writes:
            cache.save(known)
    rows = pd.Index(known.isic_ids).get_indexer(lesions.isic_ids)
    return np.hstack([known.features[rows], lesions.tabular])


def _computed(
    network: keras.Model, lesions: batches.Lesions, n_views: views.N, batch_size: int
) -> Table:
    tiles = {"image": network.input["image"]}
    pool = keras.Model(tiles, network.get_layer("image_pool").output, name="pool")
    run, found = views.averaged(distribution.scorer(pool)(), n_views), []
    size = distribution.current().per_process(batch_size)
    for inputs, reasons in batches.scoring(lesions, batch_size=size):
        found.append(np.asarray(run({"image": inputs["image"]}), np.float32)[: len(reasons)])
    return Table(lesions.isic_ids, np.concatenate(found))
