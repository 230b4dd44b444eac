"""What a table expert reads of lesions, and how it becomes the columns of one matrix."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from skinlesion.dataset.categories import canonical
from skinlesion.derivation.plan import OUTLYING, TOTAL_AREA, Plan

__all__ = ["Categories", "Columns", "choose", "filled"]

Categories = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Columns:
    """What a model reads: numbers of the lesion itself, those relative to others, categories."""

    own: list[str]
    relative: list[str]
    categorical: list[str]

    @property
    def names(self) -> list[str]:
        """All of them, in the order of the matrix."""
        return [*self.own, *self.categorical, *self.relative]

    @property
    def n_alone(self) -> int:
        """How many of the first columns are known of a lesion by itself."""
        return len(self.own) + len(self.categorical)


def choose(given: Plan, inputs: Sequence[str]) -> Columns:
    """Choose what a model reads.

    Args:
        given: What there is.
        inputs: Of "table" and "tile".
    """
    left_out = [] if "tile" in inputs else given.tile
    if "table" not in inputs:
        left_out = [*given.base, *given.derived]
    own = [name for name in given.numbers if name not in left_out]
    # What sums up a group's numbers tells of all of them.
    mixed = {*(OUTLYING if left_out else ()), *([] if "table" in inputs else [TOTAL_AREA])}
    hidden = mixed.union(left_out)
    relative = [name for name in given.relative if name.split("|")[0] not in hidden]
    return Columns(own, relative, list(given.categorical) if "table" in inputs else [])


def filled(
    given: Mapping[str, Any], columns: Columns, categories: Categories, *, n: int
) -> np.ndarray:
    """Lay numbers and categories side by side.

    Args:
        given: By name, shape (n,): numbers as an array, categories as a Series of text.
        columns: Which of them, and in which order.
        categories: The known categories by column; a category is its place among them.
        n: Lesions.

    Returns:
        Shape (n, n_columns), float32; NaN where a number is missing, or a category missing or
        unseen.
    """
    values = np.empty((n, len(columns.names)), np.float32)
    for i, name in enumerate(columns.names):
        column = given[name]
        values[:, i] = _codes(column, categories[name]) if name in categories else column
    return values


def _codes(column: pd.Series, known: Sequence[str]) -> np.ndarray:
    codes_of = {name: code for code, name in enumerate(canonical(pd.Series(known, dtype="str")))}
    codes = canonical(column).astype(object).map(codes_of)
    return np.asarray(codes, np.float32)
