"""Measures by subgroup: lesions by sex, age, site, lighting and more."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from skinlesion.evaluation import bootstrap, operating, ranking
from skinlesion.evaluation.bootstrap import Resamples

__all__ = ["ATTRIBUTES", "MIN_PATIENTS", "MISSING", "absent", "groups", "measures"]

MISSING, OTHERS = "missing", "all others"
MIN_PATIENTS = 6  # with a positive; intervals of fewer patients are too narrow by far
MAX_GROUPS = 12  # of a column of names; rarer values are one group

AGES = {-np.inf: "under 30", 30: "30 to 44", 45: "45 to 59", 60: "60 to 74", 75: "75 and over"}
DIAMETERS = {-np.inf: "under 3 mm", 3: "3 to 6 mm", 6: "6 mm and over"}
COUNTS = {-np.inf: "1 to 9", 10: "10 to 99", 100: "100 to 299", 300: "300 and more"}
# The individual typology angle (Chardon et al. 1991, its limits) of the skin around the lesion,
# as the camera measured it. Lighting, tan and calibration move it: it is no skin type.
ANGLES = {
    -np.inf: "under -30 degrees",
    -30: "-30 to 10 degrees",
    10: "10 to 28 degrees",
    28: "28 to 41 degrees",
    41: "41 to 55 degrees",
    55: "over 55 degrees",
}

Grouping = Callable[[pd.DataFrame], pd.Series]


def _named(column: str) -> Grouping:
    def group(lesions: pd.DataFrame) -> pd.Series:
        names = lesions[column].astype("string").fillna(MISSING)
        common = names.value_counts().sort_index().nlargest(MAX_GROUPS, keep="first").index
        ordered = sorted(set(common) - {MISSING, OTHERS})
        labels = names.where(names.isin([*ordered, MISSING]), OTHERS)
        return pd.Series(pd.Categorical(labels, [*ordered, OTHERS, MISSING]), lesions.index)

    return group


def _banded(values: Callable[[pd.DataFrame], pd.Series], bands: dict[float, str]) -> Grouping:
    def group(lesions: pd.DataFrame) -> pd.Series:
        number = pd.to_numeric(values(lesions), errors="coerce").to_numpy(np.float64)
        place = np.searchsorted(list(bands), number, side="right") - 1
        labels = np.where(np.isnan(number), MISSING, np.array(list(bands.values()))[place])
        return pd.Series(pd.Categorical(labels, [*bands.values(), MISSING]), lesions.index)

    return group


def _angle(lesions: pd.DataFrame) -> pd.Series:
    angle = np.degrees(np.arctan2(lesions["tbp_lv_Lext"] - 50, lesions["tbp_lv_Bext"]))
    return pd.Series(angle, lesions.index)


def _n_lesions(lesions: pd.DataFrame) -> pd.Series:
    return lesions.groupby("patient_id")["patient_id"].transform("size")


# attribute: (columns it needs, how it groups lesions)
ATTRIBUTES: dict[str, tuple[tuple[str, ...], Grouping]] = {
    "sex": (("sex",), _named("sex")),
    "age": (("age_approx",), _banded(lambda t: t["age_approx"], AGES)),
    "site": (("anatom_site_general",), _named("anatom_site_general")),
    "lighting": (("tbp_tile_type",), _named("tbp_tile_type")),
    "attribution": (("attribution",), _named("attribution")),
    "diameter": (
        ("clin_size_long_diam_mm",),
        _banded(lambda t: t["clin_size_long_diam_mm"], DIAMETERS),
    ),
    "lesions per patient": (("patient_id",), _banded(_n_lesions, COUNTS)),
    "measured background lightness": (("tbp_lv_Lext", "tbp_lv_Bext"), _banded(_angle, ANGLES)),
}


def absent(columns: Iterable[object]) -> list[str]:
    """List the attributes that a table cannot be grouped by.

    Args:
        columns: Of the table.
    """
    present = set(columns)  # an iterator could be read once only
    return [n for n, (needed, _) in ATTRIBUTES.items() if not set(needed) <= present]


def groups(lesions: pd.DataFrame) -> dict[str, pd.Series]:
    """Group lesions by each attribute that their table has.

    Args:
        lesions: patient_id and whatever else is known, one row per lesion; all the lesions of a
            patient, or the number of their lesions is wrong.

    Returns:
        The group of each lesion by attribute, an ordered categorical whose last group is
        "missing".
    """
    lacking = absent(lesions)
    return {name: group(lesions) for name, (_, group) in ATTRIBUTES.items() if name not in lacking}


def measures(
    lesions: pd.DataFrame, resamples: Resamples, *, threshold: float, min_positives: int
) -> list[dict[str, Any]]:
    """Measure the scores in each group.

    Args:
        lesions: patient_id, target, score and the columns to group by, one row per lesion.
        resamples: Of their patients, so that a group's number of positives varies as it would.
        threshold: Score at and above which a lesion is flagged.
        min_positives: In a group with fewer, or whose positives are of fewer than MIN_PATIENTS
            patients, AUC and sensitivity are not given.

    Returns:
        One record per group that has lesions: attribute, group, n_lesions, n_patients,
        n_positives, too_few, and the intervals auc, sensitivity and specificity.
    """
    records, measured = [], lesions[["patient_id", "target", "score"]]
    for attribute, group in groups(lesions).items():
        for label in group.cat.categories[group.value_counts(sort=False) > 0]:
            members = measured[group == label]
            record = _measure(members, resamples, threshold, min_positives)
            records.append({"attribute": attribute, "group": label, **record})
    return records


def _measure(
    members: pd.DataFrame, resamples: Resamples, threshold: float, min_positives: int
) -> dict[str, Any]:
    n_positives, resamples = int(members["target"].sum()), resamples.of(members)
    intervals = operating.rates(members, resamples, threshold=threshold)
    intervals["auc"] = dict(bootstrap.UNDEFINED)
    n_malignant = members.loc[members["target"] == 1, "patient_id"].nunique()
    too_few = n_positives < min_positives or n_malignant < MIN_PATIENTS
    if too_few:
        intervals["sensitivity"] = dict(bootstrap.UNDEFINED)
    elif n_positives < len(members):
        areas = ranking.rank(members, members["score"], resamples).each(ranking.Roc.auc)
        intervals["auc"] = bootstrap.area(areas, resamples.confidence)
    return {
        "n_lesions": len(members),
        "n_patients": members["patient_id"].nunique(),
        "n_positives": n_positives,
        "too_few": too_few,
        **intervals,
    }
