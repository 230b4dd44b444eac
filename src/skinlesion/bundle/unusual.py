"""Lesions that lie far outside the training data, by their rows and by the networks' features."""

from pathlib import Path

import numpy as np
import pandas as pd

from skinlesion.shift import marks, profile, sketch

__all__ = ["NAME", "Watch", "load"]

NAME = "shift.json"


class Watch:
    """Keeps what the profile needs while networks score some lesions."""

    def __init__(self, known: profile.Profile | None, folds: list[int], n: int) -> None:
        """Make it.

        Args:
            known: The profile of the training lesions; None marks nothing.
            folds: Of the networks, in their order.
            n: Lesions.
        """
        self.known, self.folds = known, folds
        self.sketches: np.ndarray | None = None
        self.n = n

    def see(self, member: int, rows: slice, features: np.ndarray) -> None:
        """Keep the pooled features of lesions, shortened, where the profile knows that network.

        Args:
            member: The place of the network.
            rows: Of the lesions.
            features: Shape (n, n_pooled).
        """
        image = self.known.image if self.known else None
        if image is None or self.folds[member] != image.fold or not features.shape[1]:
            return
        short = sketch.of(features)
        if self.sketches is None:
            self.sketches = np.full((self.n, short.shape[1]), np.nan, short.dtype)
        self.sketches[rows] = short

    def marks(self, lesions: pd.DataFrame, reasons: list[str]) -> list[str]:
        """Say of each lesion what lies far outside the training data, "" where nothing does.

        Args:
            lesions: Columns of the metadata, one row per lesion. What is measured on the tile
                alone is not compared.
            reasons: "", or why the tile cannot be read.
        """
        if self.known is None:
            return [""] * len(lesions)
        if self.sketches is not None:
            self.sketches[[reason != "" for reason in reasons]] = np.nan
        return marks.of(lesions, self.known, self.sketches).reasons


def load(folder: Path) -> profile.Profile | None:
    """Load the profile of the training lesions; None where the bundle has none.

    Args:
        folder: Of the bundle.

    Raises:
        InputError: The file is malformed.
    """
    path = folder / NAME
    return profile.load(path) if path.is_file() else None
