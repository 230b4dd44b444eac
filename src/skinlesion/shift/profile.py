"""What the lesions that a model was trained on were like, as small summaries in one JSON file."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from skinlesion.params import Block, load_json
from skinlesion.shift import bins, chance
from skinlesion.shift.bins import Categories, Numbers
from skinlesion.shift.chance import Sizes
from skinlesion.shift.image import Image

__all__ = ["Column", "Profile", "columns", "load", "make", "numbered", "save"]

Column = Annotated[Numbers | Categories, Field(discriminator="kind")]


class Profile(Block):
    """The training lesions: their columns, and their image features. No lesion's own row."""

    sizes: Sizes
    columns: dict[str, Column]
    image: Image | None  # None: there is no image branch, or too few lesions


def columns(
    lesions: pd.DataFrame, patients: np.ndarray, categorical: Iterable[str]
) -> dict[str, Numbers | Categories]:
    """Summarise the columns of training lesions, one at a time.

    Args:
        lesions: One row each; all of its columns are summarised.
        patients: Shape (n_lesions,), from `numbered`.
        categorical: Which columns hold categories; the others hold numbers.
    """
    kinds = set(categorical)
    return {
        str(name): (bins.fit_categories if name in kinds else bins.fit_numbers)(column, patients)
        for name, column in lesions.items()
    }


def numbered(patients: pd.Series) -> np.ndarray:
    """Number patients from 0 in the order of their names.

    Args:
        patients: patient_id of each lesion. One who is not known is a patient of its own.

    Returns:
        Shape (n_lesions,).
    """
    codes, names = pd.factorize(patients, sort=True)
    unknown = codes < 0
    codes[unknown] = len(names) + np.arange(unknown.sum())
    return codes


def make(
    found: Mapping[str, Numbers | Categories], image: Image | None, patients: np.ndarray
) -> Profile:
    """Put summaries together.

    Args:
        found: From `columns`, maybe of several tables.
        image: From `image.fit`.
        patients: Shape (n_lesions,), of the training lesions.
    """
    return Profile(sizes=chance.sizes(patients), columns=dict(found), image=image)


def save(path: Path, profile: Profile) -> None:
    """Write a profile. The same profile gives the same bytes.

    Args:
        path: The JSON file.
        profile: What is written.
    """
    path.write_text(profile.model_dump_json() + "\n", encoding="utf-8")


def load(path: Path) -> Profile:
    """Read a profile.

    Args:
        path: Written by `save`.

    Raises:
        InputError: The file is absent or malformed.
    """
    return load_json(path, Profile, "a profile of training lesions")
