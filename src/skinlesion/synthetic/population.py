"""The patients of the drawn challenge folder: who they are, and who has how many lesions.

The shares are those of SLICE-3D: 401,059 lesions of 1,042 patients, median 241, one with 9,184;
393 malignant lesions in 259 patients.
"""

import numpy as np
import pandas as pd
from numpy.random import Generator

__all__ = [
    "CLINICS",
    "LOG_ODDS_PER_YEAR",
    "TRAITS",
    "identifiers",
    "lesions_each",
    "malignant",
    "of_whole_patients",
    "patients",
]

SHARE_WITH_MALIGNANCY = 259 / 1042
LOG_ODDS_PER_YEAR = 0.06  # of having a malignancy
AGES_YEARS = np.arange(5, 90, 5)
TRAITS = ("size", "darkness", "redness", "atypia")  # by which patients' lesions differ
# One row per clinic: share of the lesions, share under white light, licence, name. Few cameras
# take white-light tiles, so the light gives the clinic away, as it does in SLICE-3D.
CLINICS = [
    (0.32, 0.80, "CC-BY", "Memorial Sloan Kettering Cancer Center"),
    (0.26, 0.00, "CC-BY-NC", "Department of Dermatology, Hospital Clínic de Barcelona"),
    (0.16, 0.00, "CC-BY-NC", "University Hospital of Basel"),
    (
        0.13,
        0.22,
        "CC-BY",
        "Frazer Institute, The University of Queensland, Dermatology Research Centre",
    ),
    (0.07, 0.00, "CC-0", "ACEMID MIA"),
    (
        0.03,
        0.00,
        "CC-BY-NC",
        "ViDIR Group, Department of Dermatology, Medical University of Vienna",
    ),
    (
        0.03,
        0.00,
        "CC-BY",
        "Department of Dermatology, University of Athens, Andreas Syggros Hospital of Skin and "
        "Venereal Diseases, Alexander Stratigos, Konstantinos Liopyris",
    ),
]


def patients(n_patients: int, *, rng: Generator) -> pd.DataFrame:
    """Draw patients.

    Args:
        n_patients: Rows to draw, at least 1 and at most 10 million.
        rng: The source of chance.

    Returns:
        One row per patient: patient_id, sex, age_approx (years, in steps of 5), attribution,
        copyright_license, tbp_tile_type, the CIELAB tone of the skin (skin_l, skin_a, skin_b),
        the mean number of hairs and freckles on a tile, the TRAITS of all their lesions (standard
        normal), and `weight`, to which the number of lesions is proportional.
    """
    clinic = _clinics(n_patients, rng)
    male = rng.random(n_patients) < 0.68
    white = clinic["tbp_tile_type"].eq("3D: white").to_numpy()
    age = 5 * np.round(rng.normal(58, 14, n_patients) / 5)
    # Fair to dark; the two lights move the tone as they do in SLICE-3D.
    lightness = np.clip(rng.normal(np.where(white, 60, 52), 9), 28, 80)
    return pd.DataFrame(
        {
            "patient_id": rng.permutation(identifiers("IP", n_patients, rng=rng)[1]),
            "sex": np.where(male, "male", "female"),
            "age_approx": np.clip(age, AGES_YEARS[0], AGES_YEARS[-1]),
            **clinic,
            "skin_l": lightness,
            "skin_a": rng.normal(np.where(white, 19, 18) - 0.1 * (lightness - 55), 2.2),
            "skin_b": rng.normal(np.where(white, 24, 27), 3),
            "hairs": rng.gamma(0.6, np.where(male, 6, 3)),
            "freckles": rng.gamma(0.6, 4, n_patients),
            # What a patient's lesions have in common, in standard deviations between patients.
            **{name: rng.standard_normal(n_patients) for name in TRAITS},
            # Mean / median is 385 / 241 = exp(sigma**2 / 2) of a log-normal.
            "weight": rng.lognormal(0, 0.97, n_patients),
        }
    )


def identifiers(prefix: str, n: int, *, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw distinct identifiers of seven digits, in increasing order.

    Args:
        prefix: Such as "ISIC".
        n: How many, at most 10 million.
        rng: The source of chance.

    Returns:
        The numbers, shape (n,), and the texts, shape (n,), such as "ISIC_0015845".
    """
    step = 10_000_000 // n
    numbers = np.arange(n) * step + rng.integers(0, step, n)
    return numbers, np.array([f"{prefix}_{number:07d}" for number in numbers], dtype=object)


def lesions_each(weight: np.ndarray, *, n_lesions: int) -> np.ndarray:
    """Divide lesions between patients, at least one to each.

    Args:
        weight: Shape (n_patients,), positive.
        n_lesions: How many to divide, at least n_patients.

    Returns:
        Shape (n_patients,), whole numbers whose sum is n_lesions.
    """
    exact = (n_lesions - len(weight)) * weight / weight.sum()
    counts: np.ndarray = 1 + exact.astype(int)
    left = n_lesions - counts.sum()
    counts[np.argsort(exact % 1, kind="stable")[len(weight) - left :]] += 1
    return counts


def malignant(
    patient: np.ndarray, log_odds: np.ndarray, *, n_malignant: int, rng: Generator
) -> np.ndarray:
    """Choose the malignant lesions: in about a quarter of the patients, the likelier rather.

    Args:
        patient: Shape (n_lesions,), the row of each lesion's patient; every patient occurs.
        log_odds: Shape (n_patients,), of having a malignancy, up to a constant.
        n_malignant: How many to choose, from 0 to n_lesions.
        rng: The source of chance.

    Returns:
        Shape (n_lesions,), True for exactly n_malignant lesions.
    """
    n_patients = len(log_odds)
    n_ill = min(n_malignant, max(1, round(SHARE_WITH_MALIGNANCY * n_patients)))
    ill = np.argsort(-(log_odds + rng.gumbel(size=n_patients)))[:n_ill]
    # The number of malignancies follows a patient's own proneness, not the number of lesions.
    per_patient = np.bincount(patient, minlength=n_patients)
    slowness = per_patient / rng.exponential(size=n_patients)
    wait = rng.exponential(size=len(patient)) * slowness[patient]
    wait[~np.isin(patient, ill)] = np.inf  # only where the ill have no lesion left
    wait[np.unique(patient, return_index=True)[1][ill]] = -1  # each of them has one
    chosen = np.zeros(len(patient), dtype=bool)
    chosen[np.argsort(wait, kind="stable")[:n_malignant]] = True
    return chosen


def of_whole_patients(patient: np.ndarray, *, share: float, rng: Generator) -> np.ndarray:
    """Choose about `share` of the lesions, so that a patient's lesions are chosen together.

    Args:
        patient: Shape (n_lesions,), the row of each lesion's patient.
        share: In [0, 1]; the share chosen is this or, where no patient fits, a little less.
        rng: The source of chance.

    Returns:
        Shape (n_lesions,), True where chosen.
    """
    counts = np.bincount(patient)
    left = share * len(patient)
    chosen: np.ndarray = np.zeros(len(counts), dtype=bool)
    for row in rng.permutation(len(counts)):
        if counts[row] <= left:
            chosen[row] = True
            left -= counts[row]
    return np.take(chosen, patient)


def _clinics(n: int, rng: Generator) -> pd.DataFrame:
    share, white, licence, name = (
        np.array(column, dtype=object) for column in zip(*CLINICS, strict=True)
    )
    which = rng.choice(len(CLINICS), n, p=share.astype(float))
    is_white = rng.random(n) < white[which].astype(float)
    return pd.DataFrame(
        {
            "attribution": name[which],
            "copyright_license": licence[which],
            "tbp_tile_type": np.where(is_white, "3D: white", "3D: XP"),
        }
    )
