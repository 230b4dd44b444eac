"""Count lesions into the bins of a profile, some at a time, without holding them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from skinlesion.dataset import categories
from skinlesion.shift import bins, image, profile
from skinlesion.shift.chance import Sizes
from skinlesion.shift.image import Image

__all__ = ["Images", "Tally"]


@dataclass
class Tally:
    """Lesions by bin of each column."""

    columns: Mapping[str, profile.Column]
    counts: dict[str, np.ndarray] = field(default_factory=dict)  # by column, those counted
    others: dict[str, Counter[str]] = field(default_factory=dict)  # categories not in the profile
    patients: Counter[str] = field(default_factory=Counter)  # lesions of each
    n_lesions: int = 0

    def add(self, lesions: pd.DataFrame) -> None:
        """Count lesions.

        Args:
            lesions: Columns of the profile, as many as there are; maybe patient_id.
        """
        self.n_lesions += len(lesions)
        if "patient_id" in lesions:
            self.patients.update(lesions["patient_id"].dropna().astype(str))
        self.add_columns(lesions)

    def add_columns(self, lesions: pd.DataFrame) -> None:
        """Count further columns, maybe of some only of the lesions that were counted.

        Args:
            lesions: Columns of the profile.
        """
        for name, column in self.columns.items():
            if name not in lesions:
                continue
            codes = column.codes(lesions[name])
            found = np.bincount(codes, minlength=len(column.shares))
            self.counts[name] = self.counts.get(name, 0) + found
            if isinstance(column, bins.Categories):
                keys = categories.canonical(lesions[name])[codes == len(column.names)]
                self.others.setdefault(name, Counter()).update(keys)

    def sizes(self, as_in: Sizes) -> Sizes:
        """Count the lesions and patients.

        Args:
            as_in: A set whose crowding is taken where the patients are not known.
        """
        n = np.array(sorted(self.patients.values()), np.float64)
        if n.sum() < self.n_lesions or not len(n):
            return as_in.spread_as(self.n_lesions)
        crowding = float((n**2).sum() / n.sum() ** 2)
        return Sizes(n_lesions=self.n_lesions, n_patients=len(n), crowding=crowding)


@dataclass
class Images:
    """Image features of lesions: their distances by bin, and their mean."""

    image: Image
    counts: np.ndarray
    total: np.ndarray
    n_lesions: int = 0
    n_far: int = 0

    @classmethod
    def none(cls, of: Image) -> "Images":
        """Start before the first lesion.

        Args:
            of: The profile's.
        """
        return cls(of, np.zeros(len(of.distances.shares)), np.zeros(len(of.mean)))

    def add(self, sketches: np.ndarray) -> None:
        """Count lesions.

        Args:
            sketches: Shape (n_lesions, k), from `sketch.of`; NaN where the tile cannot be read.
        """
        z = self.image.standardised(sketches)
        distances = image.distance(z)
        known = ~np.isnan(distances)
        codes = self.image.distances.codes(pd.Series(distances[known]))
        self.counts += np.bincount(codes, minlength=len(self.counts))
        self.total += z[known].sum(0)
        self.n_lesions += int(known.sum())
        self.n_far += int((distances[known] > self.image.far).sum())
