"""Mark single lesions that lie far outside the training lesions, and say in what."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skinlesion.dataset import categories
from skinlesion.shift import bins, image, profile

__all__ = ["Marks", "of"]

BETWEEN = "; "
FAR = 1.0  # widths of the usual range beyond it, from which a value is far outside


@dataclass(frozen=True)
class Marks:
    """What is unusual about lesions, row by row."""

    image_distance: np.ndarray  # shape (n_lesions,), about 1 where usual; NaN where not known
    reasons: list[str]  # "", or what lies far outside the training data


def of(lesions: pd.DataFrame, known: profile.Profile, sketches: np.ndarray | None = None) -> Marks:
    """Mark lesions.

    Args:
        lesions: Columns of the profile, as many as there are, one row per lesion.
        known: The profile of the training lesions.
        sketches: Shape (n_lesions, k), what `sketch.of` makes of the pooled image features of the
            network of fold `known.image.fold`; NaN where the tile cannot be read; None where
            there are none.

    Returns:
        A number is far outside where it lies beyond the range of 99 % of the training lesions by
        more than that range's width; a category, where fewer than five training patients had it;
        a tile, where its distance is above the profile's.
    """
    said: list[list[str]] = [[] for _ in range(len(lesions))]
    for name, column in known.columns.items():
        if name not in lesions:
            continue
        if isinstance(column, bins.Categories):
            _mark_categories(said, lesions[name], name, column)
        else:
            _mark_numbers(said, lesions[name], name, column)
    distances = np.full(len(lesions), np.nan)
    if known.image is not None and sketches is not None:
        distances = image.distance(known.image.standardised(sketches))
        for row in np.flatnonzero(distances > known.image.far):
            said[row].append(f"the tile, {distances[row]:.2g} times as far off as usual")
    return Marks(distances, [BETWEEN.join(reasons) for reasons in said])


def _mark_numbers(said: list[list[str]], column: pd.Series, name: str, known: bins.Numbers) -> None:
    if known.usual is None:
        return
    values, (low, high) = bins.as_numbers(column), known.usual
    beyond = FAR * (high - low)
    for row in np.flatnonzero((values < low - beyond) | (values > high + beyond)):
        said[row].append(f"{name} {values[row]:.4g}, usually {low:g} to {high:g}")


def _mark_categories(
    said: list[list[str]], column: pd.Series, name: str, known: bins.Categories
) -> None:
    rows = np.flatnonzero(known.codes(column) == len(known.names))
    keys = categories.canonical(column).to_numpy(object)
    for row in rows:
        said[row].append(f"{name} {keys[row]!r}, not of the training lesions")
