"""The columns of a metadata table that are known by name: their kind, unit and range."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from skinlesion.params import nearest

__all__ = ["NUMERIC", "REQUIRED", "TEXT", "TRAIN_ONLY", "Quantity", "outside", "unusable"]

# Without these a training table cannot be used; all other columns may be absent.
REQUIRED = ("isic_id", "patient_id", "target")

# Columns of the training table that the test table lacks. They are known only after the
# biopsy, so none may become a feature: lesion_id alone gives the label away.
TRAIN_ONLY = (
    "target",
    "lesion_id",
    "iddx_full",
    "iddx_1",
    "iddx_2",
    "iddx_3",
    "iddx_4",
    "iddx_5",
    "mel_mitotic_index",
    "mel_thick_mm",
    "tbp_lv_dnn_lesion_confidence",
)

TEXT = (
    "isic_id",
    "patient_id",
    "sex",
    "anatom_site_general",
    "image_type",
    "tbp_tile_type",
    "tbp_lv_location",
    "tbp_lv_location_simple",
    "attribution",
    "copyright_license",
    "lesion_id",
    "iddx_full",
    "iddx_1",
    "iddx_2",
    "iddx_3",
    "iddx_4",
    "iddx_5",
    "mel_mitotic_index",
)


@dataclass(frozen=True)
class Quantity:
    """What a numeric column measures: its unit, and the values that nature or the camera allow."""

    unit: str
    low: float
    high: float
    above: bool = False  # whether values lie above `low`, never at it
    piles_up: bool = False  # whether many lesions have a value at an end, without being missing

    def __str__(self) -> str:
        """The range in words, such as "in (0, 500] mm"."""
        unit = f" {self.unit}" if self.unit else ""
        return f"in {'(' if self.above else '['}{self.low:g}, {self.high:g}]{unit}"


# Lengths of a lesion end far above the largest of SLICE-3D (28 mm), where units are mixed up.
_LENGTH = Quantity("mm", 0, 500, above=True)
_PERCENT = Quantity("%", 0, 100, piles_up=True)
_SCORE = Quantity("of 10", 0, 10, piles_up=True)
# L* is 0 for black and 100 for white; a camera's calibration may overshoot by a little.
_LIGHTNESS = Quantity("L*", -5, 105)
_OPPONENT = Quantity("a* or b*", -128, 128)
_CHROMA = Quantity("C*", 0, 182)  # of a* = b* = 128
_HUE = Quantity("degrees", -180, 360)
_CONTRAST = Quantity("a* or b*", -256, 256)
_POSITION = Quantity("mm", -3000, 3000)  # of a standing person, from the floor's middle or so
# Of the colours within a lesion: 0 where it is too small to be measured.
_SPREAD = Quantity("L*a*b*", 0, 128, piles_up=True)

NUMERIC = {
    "age_approx": Quantity("years", 0, 120),
    "clin_size_long_diam_mm": _LENGTH,
    "tbp_lv_A": _OPPONENT,
    "tbp_lv_Aext": _OPPONENT,
    "tbp_lv_B": _OPPONENT,
    "tbp_lv_Bext": _OPPONENT,
    "tbp_lv_C": _CHROMA,
    "tbp_lv_Cext": _CHROMA,
    "tbp_lv_H": _HUE,
    "tbp_lv_Hext": _HUE,
    "tbp_lv_L": _LIGHTNESS,
    "tbp_lv_Lext": _LIGHTNESS,
    "tbp_lv_areaMM2": Quantity("mm^2", 0, 100_000, above=True),
    # Perimeter squared by area: 4 pi for a circle, less only where pixels round it off.
    "tbp_lv_area_perim_ratio": Quantity("", 0, 1000, above=True),
    "tbp_lv_color_std_mean": _SPREAD,
    "tbp_lv_deltaA": _CONTRAST,
    "tbp_lv_deltaB": _CONTRAST,
    "tbp_lv_deltaL": Quantity("L*", -105, 105),
    "tbp_lv_deltaLB": Quantity("L*b*", 0, 256),
    "tbp_lv_deltaLBnorm": Quantity("L*b*", 0, 256),
    "tbp_lv_eccentricity": Quantity("", 0, 1),
    "tbp_lv_minorAxisMM": _LENGTH,
    "tbp_lv_nevi_confidence": _PERCENT,
    "tbp_lv_norm_border": _SCORE,
    "tbp_lv_norm_color": _SCORE,
    "tbp_lv_perimeterMM": Quantity("mm", 0, 3000, above=True),
    "tbp_lv_radial_color_std_max": _SPREAD,
    "tbp_lv_stdL": Quantity("L*", 0, 100),
    "tbp_lv_stdLExt": Quantity("L*", 0, 100),
    "tbp_lv_symm_2axis": Quantity("of 10", 0, 10),
    "tbp_lv_symm_2axis_angle": Quantity("degrees", 0, 180, piles_up=True),
    "tbp_lv_x": _POSITION,
    "tbp_lv_y": _POSITION,
    "tbp_lv_z": _POSITION,
    "mel_thick_mm": Quantity("mm", 0, 100, piles_up=True),  # 0: in situ
    "tbp_lv_dnn_lesion_confidence": _PERCENT,
}
"""Numeric columns by name.

Source:
    Kurtansky et al. (2024), https://doi.org/10.1038/s41597-024-03743-w, and the competition's
    description of its files. Where these give typical values only, the range is what the
    quantity can be at all, since no real lesion may be refused.
"""

ROUNDING = 1e-6  # of values written with seven digits, as a share of the range's width


def outside(name: str, values: np.ndarray) -> np.ndarray:
    """Find the values that a column cannot have.

    Args:
        name: Of the column; one that is not known may have any value.
        values: Shape (n_lesions,), float; NaN where missing.

    Returns:
        Shape (n_lesions,), bool.
    """
    quantity = NUMERIC.get(name)
    if quantity is None:
        return np.zeros(len(values), bool)
    slack = ROUNDING * (quantity.high - quantity.low)
    low = values <= quantity.low if quantity.above else values < quantity.low - slack
    return np.asarray(low | (values > quantity.high + slack))


def unusable(features: Iterable[str], present: Iterable[str]) -> list[str]:
    """Say which columns cannot be features, and why.

    Args:
        features: The names of columns, in any order, with those that occur twice.
        present: The columns of the training table.

    Returns:
        A finding per name: it is known in training only, says who a lesion belongs to, is absent
        from the table, or is named twice.
    """
    features, present = list(features), set(present)
    reasons = {name: _reason(name, features, present) for name in features}
    return [f"{name!r} {reason}" for name, reason in reasons.items() if reason]


def _reason(name: str, features: list[str], present: set[str]) -> str:
    if name in TRAIN_ONLY:
        return "is known only in training and gives the diagnosis away"
    if name in ("isic_id", "patient_id"):
        return "says who a lesion belongs to, not what it is like"
    if name not in present:
        return f"is no column of the table.{nearest(name, present)}"
    return "is named more than once" if features.count(name) > 1 else ""
