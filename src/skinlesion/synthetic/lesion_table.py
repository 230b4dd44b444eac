"""The lesions of the drawn challenge folder: their 55 columns, and the looks of their tiles.

Malignancy moves the table (age, size, site) and, apart from it, the three signs that only the
tile shows well. Given the diagnosis the two are nearly independent: each knows what the other
does not. Scales and correlations are those of SLICE-3D. A patient's lesions resemble each other, so
a malignant one stands out among them more than among all.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator

from skinlesion.synthetic import population, rendering

__all__ = ["lesions"]

SEX_MISSING, AGE_MISSING = 0.0287, 0.0070  # shares of the lesions
# In standard deviations of the benign. The three signs themselves would give an AUC of 0.97; a
# network of a few hundred steps sees much less of them in 64 px.
ATYPIA_OF_MALIGNANT = 2.7
# Of the log of the diameter. In SLICE-3D the median cancer is larger than 88 % of its patient's
# lesions, which is 1.17 standard deviations within a patient.
LARGER_IF_MALIGNANT, SIZE_WITHIN, SIZE_BETWEEN = 0.375, 0.32, 0.27
OF_PATIENT = 0.6  # of the other traits: the share of the standard deviation between patients

# Location, share of the benign, how much likelier the malignant, middle of x, y, z in mm. The
# simple location and the site follow from the name.
LOCATIONS = [
    ("Torso Back Top Third", 0.178, 1.0, 0, 1385, 120),
    ("Torso Back Middle Third", 0.114, 0.8, 0, 1143, 139),
    ("Torso Back Bottom Third", 0.006, 1.0, 0, 938, 45),
    ("Torso Front Top Half", 0.157, 0.9, 0, 1365, -21),
    ("Torso Front Bottom Half", 0.060, 0.6, 0, 1078, -17),
    ("Left Leg - Lower", 0.068, 0.9, 150, 294, 85),
    ("Right Leg - Lower", 0.062, 0.9, -150, 280, 76),
    ("Left Leg - Upper", 0.059, 0.4, 140, 622, 16),
    ("Right Leg - Upper", 0.058, 0.4, -140, 640, 47),
    ("Left Leg", 0.004, 1.0, 160, 450, 60),
    ("Right Leg", 0.004, 1.0, -160, 450, 60),
    ("Left Arm - Upper", 0.058, 0.8, 270, 1360, 64),
    ("Right Arm - Upper", 0.058, 0.8, -270, 1360, 65),
    ("Left Arm - Lower", 0.030, 1.4, 400, 1098, -30),
    ("Right Arm - Lower", 0.030, 1.4, -400, 1130, -42),
    ("Left Arm", 0.005, 1.0, 345, 1240, 42),
    ("Right Arm", 0.0046, 1.0, -345, 1240, 42),
    ("Head & Neck", 0.030, 5.0, 0, 1596, -47),
    ("Unknown", 0.0144, 1.0, 0, 1000, 0),
]
SITES = {
    "Back": "posterior torso",
    "Front": "anterior torso",
    "Leg": "lower extremity",
    "Arm": "upper extremity",
    "Neck": "head/neck",
}

BASAL = "Malignant::Malignant adnexal epithelial proliferations - Follicular::Basal cell carcinoma"
SQUAMOUS = "Malignant::Malignant epidermal proliferations::Squamous cell carcinoma"
MELANOMA = "Malignant::Malignant melanocytic proliferations (Melanoma)::Melanoma"
NEVUS = "Benign::Benign melanocytic proliferations::Nevus"
# Diagnosis and share, of the malignant and of the benign.
MALIGNANT = {
    f"{BASAL}::Basal cell carcinoma, Nodular": 0.25,
    f"{BASAL}::Basal cell carcinoma, Superficial": 0.15,
    f"{BASAL}": 0.02,
    f"{SQUAMOUS} in situ": 0.20,
    f"{SQUAMOUS}, Invasive": 0.04,
    f"{MELANOMA} in situ": 0.14,
    f"{MELANOMA} in situ::Melanoma in situ, Lentigo maligna type": 0.04,
    f"{MELANOMA} in situ::Melanoma in situ, associated with a nevus": 0.03,
    f"{MELANOMA} Invasive": 0.05,
    f"{MELANOMA} Invasive::Melanoma Invasive, Superficial spreading": 0.08,
}
BENIGN = {
    "Benign": 0.9983,
    f"{NEVUS}::Nevus, Atypical, Dysplastic, or Clark": 0.0009,
    f"{NEVUS}": 0.0003,
    "Benign::Benign epidermal proliferations::Seborrheic keratosis": 0.0003,
    "Indeterminate::Indeterminate epidermal proliferations::Solar or actinic keratosis": 0.0002,
}


def lesions(
    patients: pd.DataFrame, isic_ids: np.ndarray, *, n_malignant: int, rng: Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw the lesions of some patients.

    Args:
        patients: One row per patient, as `population.patients` draws them and `clinics.applied`
            makes them of their clinics.
        isic_ids: Shape (n_lesions,), distinct; at least as many as there are patients.
        n_malignant: How many are malignant, from 0 to n_lesions.
        rng: The source of chance.

    Returns:
        One row per lesion in the order of `isic_ids`: the columns of a training table in any
        order, among others, and what the tiles show, the fields of `rendering.Look`.
    """
    each = population.lesions_each(patients["weight"].to_numpy(), n_lesions=len(isic_ids))
    row = rng.permutation(np.repeat(np.arange(len(patients)), each))
    log_odds = population.LOG_ODDS_PER_YEAR * patients["age_approx"] + patients["clinic_log_odds"]
    target = population.malignant(row, log_odds.to_numpy(), n_malignant=n_malignant, rng=rng)
    owner = patients.iloc[row].reset_index(drop=True)
    no_sex = population.of_whole_patients(row, share=SEX_MISSING, rng=rng)
    no_age = population.of_whole_patients(row, share=AGE_MISSING, rng=rng)
    signs = _signs(owner, target, rng)
    measured = _shape(owner, target, signs, rng)
    measured |= _colour(owner, measured, signs, rng) | _confidences(target, rng)
    table = owner.assign(
        isic_id=isic_ids,
        target=target.astype(int),
        image_type="TBP tile: close-up",
        sex=owner["sex"].mask(no_sex),
        age_approx=owner["age_approx"].mask(no_age),
        **measured | _location(target, rng) | _diagnosis(target, rng),
    )
    # Seven digits, as in SLICE-3D; they also hide how the last bit of exp rounds elsewhere.
    table = table.astype({name: np.float32 for name in table.select_dtypes("float64")})
    return table, _looks(owner, table, signs, rng)


def _varied(trait: pd.Series, rng: Generator) -> np.ndarray:
    """Draw standard normal values that are alike within a patient."""
    within = np.sqrt(1 - OF_PATIENT**2) * rng.standard_normal(len(trait))
    return np.asarray(OF_PATIENT * trait.to_numpy() + within)


def _signs(owner: pd.DataFrame, target: np.ndarray, rng: Generator) -> np.ndarray:
    # (n, 3): asymmetry, raggedness, variegation; one latent atypia, seen three times with noise.
    atypia = ATYPIA_OF_MALIGNANT * target + _varied(owner["atypia"], rng)
    return np.asarray(atypia)[:, None] + 0.45 * rng.standard_normal((len(target), 3))


def _shape(
    owner: pd.DataFrame, target: np.ndarray, signs: np.ndarray, rng: Generator
) -> dict[str, Any]:
    n = len(target)
    middle = 1.22 + LARGER_IF_MALIGNANT * target + SIZE_BETWEEN * owner["size"].to_numpy()
    long = np.clip(owner["clinic_scale"] * np.exp(rng.normal(middle, SIZE_WITHIN)), 1, 28)
    long = long.to_numpy().round(2)
    axis_ratio = np.clip(rng.normal(0.72, 0.13, n), 0.25, 0.98)
    minor = long * np.clip(axis_ratio * rng.normal(1.0, 0.06, n), 0.2, 1)
    area = np.pi / 4 * long * minor * np.clip(rng.normal(0.96, 0.12, n), 0.6, 1.4)
    border = 0.15 * signs[:, 1] + rng.standard_normal(n)
    # Perimeter squared by area is 4 pi for a circle, more for an ellipse, more if ragged.
    outline = 2 * np.pi * (axis_ratio + 1 / axis_ratio) * (1 + np.exp(0.4 * border - 1.4))
    symmetry = np.exp(-1.2 + 0.05 * signs[:, 0] + rng.normal(0, 0.38, n))
    return {
        "clin_size_long_diam_mm": long,
        "tbp_lv_minorAxisMM": minor,
        "tbp_lv_areaMM2": area,
        "tbp_lv_area_perim_ratio": outline,
        "tbp_lv_perimeterMM": np.sqrt(outline * area),
        "tbp_lv_eccentricity": np.sqrt(1 - axis_ratio**2),
        "tbp_lv_norm_border": np.clip(3.4 + border + rng.normal(0, 0.8, n), 0, 10),
        "tbp_lv_symm_2axis": np.clip(symmetry, 0.05, 0.95),
        "tbp_lv_symm_2axis_angle": 5.0 * rng.integers(0, 36, n),
    }


def _colour(
    owner: pd.DataFrame, shape: dict[str, Any], signs: np.ndarray, rng: Generator
) -> dict[str, Any]:
    n = len(owner)
    size = np.log(shape["clin_size_long_diam_mm"]) - 1.22
    tones = 1.2 * size + 0.13 * signs[:, 2] + rng.normal(0, 0.75, n)  # larger lesions vary more
    spread = np.clip(0.95 + 0.85 * tones, 0, None)
    outside = np.stack(
        [
            rng.normal(owner[f"skin_{c.lower()}"], s)
            for c, s in zip("LAB", (3.0, 1.5, 1.5), strict=True)
        ]
    )
    darker = np.clip(np.exp(2.05 + 0.15 * size + 0.32 * _varied(owner["darkness"], rng)), 4, 26)
    redder = 4.6 + 2.5 * _varied(owner["redness"], rng)
    delta = np.stack([-darker, redder, rng.normal(0.5, 2.4, n)])
    delta *= owner["clinic_contrast"].to_numpy()
    outside[0] = np.maximum(outside[0], 8 - delta[0])
    contrast = np.hypot(delta[0], delta[2]) + 0.2
    return {
        **_lab(outside + delta, ""),
        **_lab(outside, "ext"),
        **dict(zip(("tbp_lv_deltaL", "tbp_lv_deltaA", "tbp_lv_deltaB"), delta, strict=True)),
        "tbp_lv_deltaLB": contrast,
        # On dark skin the same step counts for more.
        "tbp_lv_deltaLBnorm": contrast * np.exp(-0.27 - 0.0135 * (outside[0] - 54)),
        "tbp_lv_color_std_mean": spread,
        "tbp_lv_radial_color_std_max": spread * np.exp(rng.normal(-0.05, 0.25, n)),
        "tbp_lv_norm_color": np.clip(2.6 * spread * np.exp(rng.normal(0, 0.15, n)), 0, 10),
        "tbp_lv_stdL": np.exp(0.7 + 0.4 * tones + rng.normal(0, 0.2, n)),
        "tbp_lv_stdLExt": np.exp(rng.normal(0.88, 0.3, n)),
    }


def _lab(lab: np.ndarray, suffix: str) -> dict[str, Any]:
    lightness, a, b = lab
    hue = np.degrees(np.arctan2(b, a))
    values = {"L": lightness, "A": a, "B": b, "C": np.hypot(a, b), "H": hue}
    return {f"tbp_lv_{name}{suffix}": value for name, value in values.items()}


def _confidences(target: np.ndarray, rng: Generator) -> dict[str, Any]:
    nevus, lesion = rng.normal(-2.5 - 0.5 * target, 4.5), rng.normal(8, 4, len(target))
    return {
        "tbp_lv_nevi_confidence": 100 / (1 + np.exp(-nevus)),
        "tbp_lv_dnn_lesion_confidence": 100 / (1 + np.exp(-lesion)),
    }


def _location(target: np.ndarray, rng: Generator) -> dict[str, Any]:
    places = pd.DataFrame(LOCATIONS, columns=["name", "benign", "likelier", "x", "y", "z"])
    simple = places["name"].str.replace(r" (-|Top|Middle|Bottom) ?.*", "", regex=True)
    places = places.assign(simple=simple, site=simple.str.split().str[-1].map(SITES))
    benign = places["benign"] / places["benign"].sum()
    ill = benign * places["likelier"]
    where = np.where(
        target,
        rng.choice(len(places), len(target), p=ill / ill.sum()),
        rng.choice(len(places), len(target), p=benign),
    )
    there = places.iloc[where].reset_index(drop=True)
    return {
        "tbp_lv_location": there["name"],
        "tbp_lv_location_simple": there["simple"],
        "anatom_site_general": there["site"],
        **{f"tbp_lv_{axis}": rng.normal(there[axis], 80) for axis in "xyz"},
    }


def _diagnosis(target: np.ndarray, rng: Generator) -> dict[str, Any]:
    n = len(target)
    ill = rng.choice(list(MALIGNANT), n, p=list(MALIGNANT.values()))
    well = rng.choice(list(BENIGN), n, p=list(BENIGN.values()))
    full = pd.Series(np.where(target, ill, well)).astype(str)
    levels = {text: [*text.split("::"), *[None] * 5] for text in MALIGNANT | BENIGN}
    invasive = full.str.contains("Melanoma Invasive")
    mitoses = rng.choice(["0/mm^2", "<1/mm^2", "1/mm^2", "3/mm^2"], n, p=[0.3, 0.5, 0.15, 0.05])
    thick = np.clip(np.exp(rng.normal(-0.85, 0.5, n)), 0.2, None).round(1)
    identifiers = pd.Series(population.identifiers("IL", n, rng=rng)[1])
    return {
        # All biopsied lesions have one, and one in twenty of the others.
        "lesion_id": identifiers.where(full.ne("Benign") | (rng.random(n) < 0.054)),
        "iddx_full": full,
        **{
            f"iddx_{k + 1}": full.map({t: level[k] for t, level in levels.items()})
            for k in range(5)
        },
        "mel_mitotic_index": pd.Series(mitoses).where(invasive & (rng.random(n) < 0.6)),
        "mel_thick_mm": pd.Series(thick).where(invasive),
    }


def _looks(
    owner: pd.DataFrame, table: pd.DataFrame, signs: np.ndarray, rng: Generator
) -> pd.DataFrame:
    # In (0, 1): an ordinary lesion shows little, and none shows more than all.
    shown = 1 / (1 + np.exp(1.9 * (1.1 - signs)))
    looks = {
        "number": table["isic_id"].str[5:].astype(int),
        **{f"skin_{c.lower()}": table[f"tbp_lv_{c}ext"] for c in "LAB"},
        **{f"lesion_{c.lower()}": table[f"tbp_lv_{c}"] for c in "LAB"},
        "axis_ratio": np.sqrt(1 - table["tbp_lv_eccentricity"] ** 2),
        "asymmetry": shown[:, 0],
        "raggedness": shown[:, 1],
        "variegation": shown[:, 2],
        "hairs": owner["hairs"] * rng.gamma(2, 0.5, len(owner)),
        "freckles": owner["freckles"],
        "white_light": owner["tbp_tile_type"].eq("3D: white"),
        "softness": owner["clinic_softness"],
    }
    return pd.DataFrame(looks)[list(rendering.Look._fields)]
