"""Lesions of patients who differ, for the tests of the room `shift`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from skinlesion.dataset import challenge as challenges
from skinlesion.shift import profile, sets, tally

CATEGORICAL = ("sex", "site")
NUMERIC = ("age", "size_mm", "lightness")


def drawn(n_patients: int, seed: int, **changes) -> pd.DataFrame:
    """Lesions, 1 to 12 of each patient, which share age and sex, and resemble each other."""
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 13, n_patients)
    patient = np.repeat(np.arange(n_patients), n)

    def own(values: np.ndarray) -> np.ndarray:
        return values[patient]

    size = np.exp(own(rng.normal(1.0, 0.3, n_patients)) + rng.normal(0, 0.4, len(patient)))
    light = own(rng.normal(60, 6, n_patients)) + rng.normal(0, 5, len(patient))
    sex = own(rng.choice(["female", "male", None], n_patients, p=[0.45, 0.52, 0.03]))
    lesions = pd.DataFrame(
        {
            "isic_id": [f"ISIC_{seed:03d}{i:06d}" for i in range(len(patient))],
            "patient_id": [f"IP_{seed:03d}{i:05d}" for i in patient],
            "age": own(rng.choice(np.arange(20.0, 90, 5), n_patients)),
            "size_mm": size,
            "lightness": np.where(rng.random(len(patient)) < 0.01, np.nan, light),
            "sex": sex,
            "site": rng.choice(
                ["arm", "leg", "torso", "head"], len(patient), p=[0.2, 0.2, 0.5, 0.1]
            ),
        }
    )
    return lesions.assign(**changes)


def profiled(lesions: pd.DataFrame) -> profile.Profile:
    """The profile of training lesions."""
    patients = profile.numbered(lesions["patient_id"])
    columns = profile.columns(lesions[[*NUMERIC, *CATEGORICAL]], patients, CATEGORICAL)
    return profile.make(columns, None, patients)


def counted(known: profile.Profile, lesions: pd.DataFrame) -> tally.Tally:
    """Lesions, counted in two parts."""
    found = tally.Tally(known.columns)
    half = len(lesions) // 2
    for part in (lesions[:half], lesions[half:]):
        found.add(part)
    return found


def read(work: Path, challenge: Path, folds: Sequence[int] = (0,)) -> sets.Sets:
    """The sets of a drawn folder, with what stages before have written of it."""
    names = ("train-metadata.csv", "train-image.hdf5", "test-metadata.csv", "test-image.hdf5")
    folder = challenges.Files(*(challenge / name for name in names))
    columns = (["age_approx", "clin_size_long_diam_mm"], ["sex"])
    return sets.read(work, folder, sets.Files(work / "folds.csv", work), columns, list(folds))
