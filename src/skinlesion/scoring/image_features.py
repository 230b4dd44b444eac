"""Pooled image features, beside the logit: what shift is measured on."""

from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile

import keras
import numpy as np
import pandas as pd

__all__ = ["Kept", "columns", "joined", "named"]

POOL = "image_pool"  # the layer that averages over the tile
NAME = "image_"


def joined(logits: keras.Model) -> keras.Model:
    """Let a network give its pooled image features, too.

    Args:
        logits: From `model.logits_of`.

    Returns:
        From the same inputs to shape (n, 1 + n_features), float32, the logit first; the network
        itself where it has no image branch.
    """
    if POOL not in {layer.name for layer in logits.layers}:
        return logits
    beside = keras.layers.Concatenate(dtype="float32", name="logit_and_features")
    return keras.Model(logits.input, beside([logits.output, logits.get_layer(POOL).output]))


def named(sketches: np.ndarray) -> dict[str, np.ndarray]:
    """Name the columns of shortened features.

    Args:
        sketches: Shape (n_lesions, k).
    """
    return {f"{NAME}{i}": column for i, column in enumerate(sketches.T)}


def columns(piece: pd.DataFrame) -> list[str]:
    """List the columns that `named` named.

    Args:
        piece: Scored lesions.
    """
    return [str(c) for c in piece if str(c).startswith(NAME)]


class Kept:
    """Image features of scored lesions, in a file without a name: they take no memory."""

    def __init__(self, n_lesions: int) -> None:
        self.features = np.zeros((n_lesions, 0), np.float32)

    def taken(self, pieces: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """Take the features out of scored lesions, as these come.

        Args:
            pieces: Of the lesions, in all as many as there is place for.

        Yields:
            The pieces without their features, which `self.features` then holds: shape
            (n_lesions, k), float32; k is 0 without an image branch.
        """
        start = 0
        for piece in pieces:
            names = columns(piece)
            if not start and names and len(piece):
                shape = (len(self.features), len(names))
                with TemporaryFile() as file:  # its pages stay as long as the array
                    self.features = np.memmap(file, np.float32, "w+", shape=shape)
            self.features[start : start + len(piece)] = piece[names].to_numpy(np.float32)
            start += len(piece)
            yield piece.drop(columns=names)
