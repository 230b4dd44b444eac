"""The base columns of a table, and the formulas that make further numbers of them, as data."""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

__all__ = ["BASE", "COLUMNS", "FORMULAS", "Formula", "derive", "finite"]

# The columns by the letters that the formulas use. All of them are base numbers.
COLUMNS = {
    "age": "age_approx",
    "D": "clin_size_long_diam_mm",
    "A": "tbp_lv_A",
    "Aext": "tbp_lv_Aext",
    "B": "tbp_lv_B",
    "Bext": "tbp_lv_Bext",
    "C": "tbp_lv_C",
    "Cext": "tbp_lv_Cext",
    "H": "tbp_lv_H",
    "Hext": "tbp_lv_Hext",
    "L": "tbp_lv_L",
    "Lext": "tbp_lv_Lext",
    "S": "tbp_lv_areaMM2",
    "outline": "tbp_lv_area_perim_ratio",
    "cs": "tbp_lv_color_std_mean",
    "dA": "tbp_lv_deltaA",
    "dB": "tbp_lv_deltaB",
    "dL": "tbp_lv_deltaL",
    "dLB": "tbp_lv_deltaLB",
    "dLBn": "tbp_lv_deltaLBnorm",
    "ec": "tbp_lv_eccentricity",
    "minor": "tbp_lv_minorAxisMM",
    "nevi": "tbp_lv_nevi_confidence",
    "nb": "tbp_lv_norm_border",
    "nc": "tbp_lv_norm_color",
    "P": "tbp_lv_perimeterMM",
    "rc": "tbp_lv_radial_color_std_max",
    "stdL": "tbp_lv_stdL",
    "stdLext": "tbp_lv_stdLExt",
    "sy": "tbp_lv_symm_2axis",
    "angle": "tbp_lv_symm_2axis_angle",
    "x": "tbp_lv_x",
    "y": "tbp_lv_y",
    "z": "tbp_lv_z",
}
BASE = tuple(COLUMNS.values())


@dataclass(frozen=True)
class Formula:
    """A number that others make: its parameters are letters of COLUMNS."""

    name: str
    function: Callable[..., np.ndarray]

    @property
    def needs(self) -> list[str]:
        """The columns that it is made from."""
        return [COLUMNS[letter] for letter in inspect.signature(self.function).parameters]


def _log(x: np.ndarray) -> np.ndarray:
    """Natural logarithm, NaN at and below 0. One by one: see `_angle`."""
    return np.fromiter((math.log(v) if v > 0 else math.nan for v in x.tolist()), float, len(x))


def _angle(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Angle of the point (x, y), in radians.

    One by one: where NumPy takes several numbers at a time, the last bit may depend on how many.
    """
    return np.fromiter(map(math.atan2, y.tolist(), x.tolist()), float, len(x))


# Lengths in mm, areas in mm2, ages in years; the rest as the camera gives it.
# Source: what public solutions of the ISIC 2024 challenge derive from the table.
_FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    # === Shape and place ===
    "minor_by_long_axis": lambda minor, D: minor / D,
    "area_by_perimeter_squared": lambda S, P: S / P**2,
    "perimeter_by_area": lambda P, S: P / S,
    "area_by_perimeter": lambda S, P: S / P,
    "perimeter_by_circle": lambda P, S: P / (2 * np.sqrt(np.pi * S)),
    "log_area": lambda S: _log(S + 1),
    "area_by_place": lambda S, x, y, z: S * np.sqrt(x**2 + y**2 + z**2),
    "distance_from_origin": lambda x, y, z: np.sqrt(x**2 + y**2 + z**2),
    "angle_around_body": lambda y, x: _angle(y, x),
    # === Colour ===
    "hue_contrast": lambda H, Hext: np.abs(H - Hext),
    "lightness_contrast": lambda L, Lext: np.abs(L - Lext),
    "mean_hue": lambda H, Hext: (H + Hext) / 2,
    "colour_contrast": lambda dA, dB, dL: np.sqrt(dA**2 + dB**2 + dL**2),
    "colour_contrast_rms": lambda dA, dB, dL: np.sqrt((dA**2 + dB**2 + dL**2) / 3),
    "mean_delta": lambda dA, dB, dL: (dA + dB + dL) / 3,
    "sum_of_deltas": lambda dA, dB, dL, dLBn: dA + dB + dL + dLBn,
    "absolute_contrast": lambda L, Lext, A, Aext, B, Bext: (
        np.abs(L - Lext) + np.abs(A - Aext) + np.abs(B - Bext)
    ),
    "colour_sd_by_radial": lambda cs, rc: cs / rc,
    "lightness_sd_by_skin": lambda stdL, Lext: stdL / Lext,
    "lightness_sd_with_skin": lambda stdL, Lext: stdL * Lext / (stdL + Lext),
    "hue_by_colour_sd": lambda H, cs: H * cs,
    "colour_sd_by_skin_sd": lambda cs, stdLext: cs / stdLext,
    # === Composites ===
    "border_and_symmetry": lambda nb, sy: nb + sy,
    "border_symmetry_roundness": lambda nb, sy, S, P: nb + sy + S / P**2,
    "border_times_symmetry": lambda nb, sy: nb * sy,
    "border_with_symmetry": lambda nb, sy: nb * sy / (nb + sy),
    "border_times_colour": lambda nb, nc: nb * nc,
    "border_with_colour": lambda nb, nc: nb * nc / (nb + nc),
    "mean_border_colour_eccentricity": lambda nb, nc, ec: (nb + nc + ec) / 3,
    "contrast_and_colour": lambda dLBn, nc: dLBn + nc,
    "diameter_by_contrast": lambda D, dLBn: D / dLBn,
    "symmetry_times_perimeter": lambda sy, P: sy * P,
    "radial_times_symmetry": lambda rc, sy: rc * sy,
    "eccentricity_times_colour_sd": lambda ec, cs: ec * cs,
    "mean_outline_eccentricity_colour_symmetry": lambda outline, ec, nc, sy: (
        (outline + ec + nc + sy) / 4
    ),
    "mean_colour_sd_outline_symmetry": lambda cs, outline, sy: (cs + outline + sy) / 3,
    # === With age ===
    "diameter_times_age": lambda D, age: D * age,
    "diameter_by_age": lambda D, age: D / age,
    "nevi_by_age": lambda nevi, age: nevi / age,
    "diameter_and_age": lambda D, age: np.sqrt(D**2 + age**2),
    "age_diameter_symmetry": lambda age, D, sy: age * D * sy,
    "age_area_symmetry": lambda age, S, sy: age * S * sy,
}
FORMULAS = tuple(Formula(name, function) for name, function in _FUNCTIONS.items())


def derive(formula: Formula, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Compute a formula.

    Args:
        formula: One of FORMULAS.
        columns: By name, shape (n_lesions,), float64: at least those that the formula needs.

    Returns:
        Shape (n_lesions,), float64; NaN where a number is missing, or the formula has no finite
        value, as where it divides by zero.
    """
    with np.errstate(all="ignore"):
        return finite(formula.function(*(columns[name] for name in formula.needs)))


def finite(values: np.ndarray) -> np.ndarray:
    """Count what is infinite, as float64 or as float32, as missing.

    Args:
        values: Any shape, float64.

    Returns:
        The same shape; NaN there.
    """
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(values) <= np.finfo(np.float32).max, values, np.nan)
