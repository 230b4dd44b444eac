"""Pooled image features of scored lesions, shortened: what shift is measured on."""

from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile

import numpy as np
import pandas as pd

__all__ = ["Kept", "columns", "named"]

NAME = "image_"


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
            names, end = columns(piece), start + len(piece)
            if end > start == 0 and names:
                self.features = _on_disk((len(self.features), len(names)))
            self.features[start:end] = piece[names].to_numpy(np.float32)
            start = end
            yield piece.drop(columns=names)


def _on_disk(shape: tuple[int, int]) -> np.ndarray:
    with TemporaryFile() as file:  # its pages stay as long as the array
        return np.memmap(file, np.float32, "w+", shape=shape)
