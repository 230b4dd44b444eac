"""Lesions that lie far outside the training data, by their rows and by the networks' features."""

from pathlib import Path

import numpy as np
import pandas as pd

from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.scoring import image_features
from skinlesion.shift import marks, profile

__all__ = ["NAME", "load", "reasons", "watched"]

NAME = "shift.json"


def watched(known: profile.Profile | None) -> FoldSeed | None:
    """Name the network whose image features the profile knows; None where it knows of none.

    Args:
        known: The profile of the training lesions, if there is one.
    """
    return FoldSeed(known.image.fold) if known and known.image else None


def reasons(
    known: profile.Profile | None, lesions: pd.DataFrame, scored: pd.DataFrame
) -> list[str]:
    """Say of each lesion what lies far outside the training data, "" where nothing does.

    Args:
        known: The profile of the training lesions; None marks nothing.
        lesions: Columns of the metadata, one row per lesion. What is measured on the tile alone is
            not compared.
        scored: The same lesions from `networks.score`, with the image features of `watched`.
    """
    if known is None:
        return [""] * len(lesions)
    names = image_features.columns(scored)
    sketches = scored[names].to_numpy(np.float32) if names else None
    return marks.of(lesions, known, sketches).reasons


def load(folder: Path) -> profile.Profile | None:
    """Load the profile of the training lesions; None where the bundle has none.

    Args:
        folder: Of the bundle.

    Raises:
        InputError: The file is malformed.
    """
    path = folder / NAME
    return profile.load(path) if path.is_file() else None
