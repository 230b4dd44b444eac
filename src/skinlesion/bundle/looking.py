"""Where the networks of a bundle look: a tile is hidden patch by patch."""

import numpy as np
import pandas as pd

from skinlesion.bundle.networks import Networks
from skinlesion.dataset import images
from skinlesion.errors import InputError
from skinlesion.features import tabular
from skinlesion.scoring import patches

__all__ = ["FRACTION", "drops"]

FRACTION = 0.25  # of the tile's width, which a patch has


def drops(networks: Networks, lesion: pd.DataFrame, tile: bytes, fraction: float) -> np.ndarray:
    """Hide each patch of a tile, and measure how far the mean logit falls.

    Args:
        networks: Those of the bundle.
        lesion: isic_id, and the columns that they read; one row.
        tile: Encoded.
        fraction: Width of a patch, as a share of the tile's; in (0, 1).

    Returns:
        Shape (n_places, n_places), positive where hiding lowers the logit; (0, 0) where no network
        reads tiles.

    Raises:
        InputError: The tile cannot be read.
    """
    seeing = [m for m in networks.values() if m.image_px]
    if not seeing:
        return np.empty((0, 0))
    n, total = patches.n_places(fraction), 0.0
    for m in seeing:
        try:
            image = images.tile(tile, px=m.image_px)
        except images.ImageError as error:
            raise InputError(f"{lesion['isic_id'].iloc[0]}: {error}") from None
        given = np.stack([image, *patches.hidden(image, fraction=fraction)])
        encoded = np.repeat(tabular.transform(lesion, m.encoder), len(given), axis=0)
        logits = m.run({"image": given, "tabular": encoded}, len(given))[:, 0].astype(np.float64)
        total = total + (logits[0] - logits[1:]).reshape(n, n)
    return np.asarray(total / len(networks))
