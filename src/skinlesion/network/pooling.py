"""Pooling: what a backbone gives of each place of a tile becomes one vector of the tile."""

import keras
import numpy as np

__all__ = ["pooled", "weights"]


def pooled(
    features: keras.KerasTensor | list[keras.KerasTensor], *, sigma: float | None
) -> keras.KerasTensor:
    """Average features over the tile; those of several stages stand side by side.

    Args:
        features: Of one stage, or of several, each of shape (n, height, width, n_filters).
        sigma: Of `weights`; None: all places count alike.

    Returns:
        Shape (n, n_filters), of all stages together; of a layer called image_pool.
    """
    stages = features if isinstance(features, list) else [features]
    if sigma is not None:
        stages = [_weighted(of, sigma, f"image_weight_{i}") for i, of in enumerate(stages)]
    pool = keras.layers.GlobalAveragePooling2D
    if len(stages) == 1:
        return pool(name="image_pool")(stages[0])
    averages = [pool(name=f"image_pool_{i}")(of) for i, of in enumerate(stages)]
    return keras.layers.Concatenate(name="image_pool")(averages)


def weights(height: int, width: int, sigma: float) -> np.ndarray:
    """Weigh the places of a tile by a Gaussian about its centre, where the lesion is.

    Args:
        height: In places of the features.
        width: Likewise.
        sigma: Of the Gaussian, in half tiles.

    Returns:
        Shape (height, width), float64, of mean 1. Turning or mirroring the tile, where it is
        square, changes none.
    """
    y, x = ((np.arange(n) - (n - 1) / 2) / (n / 2) for n in (height, width))
    nearness = np.exp(-(y[:, None] ** 2 + x**2) / (2 * sigma**2))
    return np.asarray(nearness / nearness.mean())


def _weighted(of: keras.KerasTensor, sigma: float, name: str) -> keras.KerasTensor:
    _, height, width, _ = of.shape
    scale = weights(height, width, sigma)[..., None]
    return keras.layers.Rescaling(scale, name=name)(of)
