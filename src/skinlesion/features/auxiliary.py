"""Auxiliary targets: what only training lesions know, for a network to learn from; no features."""

import numpy as np
import pandas as pd

from skinlesion.dataset.columns import NUMERIC, TRAIN_ONLY

__all__ = ["GROUPS", "columns", "table"]

GROUPS = ("diagnosis", "biopsied", "measurements")
# Classes of iddx_full, each with a part of its text; the first that fits counts.
DIAGNOSES = {
    "benign": "Benign",
    "melanoma": "elanoma",
    "basal": "Basal cell",
    "squamous": "Squamous cell",
    "other": "",
}
# Of the tile's lesion and its skin: what a network can see. A place on the body is no sight, and a
# confidence no measurement.
UNSEEN = {*TRAIN_ONLY, "tbp_lv_x", "tbp_lv_y", "tbp_lv_z", "tbp_lv_nevi_confidence"}
MEASUREMENTS = [
    name for name in NUMERIC if name.startswith(("tbp_lv_", "clin_size_")) and name not in UNSEEN
]


def columns(header: list[str]) -> list[str]:
    """List the columns of a training table that auxiliary targets are made of.

    Args:
        header: The columns that the table has.
    """
    return [name for name in ("iddx_full", "lesion_id", *MEASUREMENTS) if name in header]


def table(lesions: pd.DataFrame, is_training: np.ndarray) -> pd.DataFrame:
    """Make the targets of lesions.

    Args:
        lesions: isic_id, and those of `columns` that there are.
        is_training: Shape (n_lesions,), bool: whose means and standard deviations scale the
            measurements.

    Returns:
        isic_id and float32 columns, in the order of the lesions: "diagnosis:..." for each class, 1
        for that of the lesion; "biopsied", 1 where lesion_id is known; "measurements:...", of mean
        0 and standard deviation 1 among the training lesions. NaN is what is not known. A group
        whose columns are absent is left out, as is a measurement that never varies.
    """
    found = {"isic_id": lesions["isic_id"].to_numpy()}
    if "iddx_full" in lesions:
        found |= _diagnoses(lesions["iddx_full"])
    if "lesion_id" in lesions:
        found["biopsied"] = lesions["lesion_id"].notna().to_numpy(np.float32)
    return pd.DataFrame(found | _measurements(lesions, is_training))


def _measurements(lesions: pd.DataFrame, is_training: np.ndarray) -> dict[str, np.ndarray]:
    values = lesions[[name for name in MEASUREMENTS if name in lesions]].astype(np.float64)
    mean, sd = values[is_training].mean(), values[is_training].std(ddof=0)
    scaled = ((values - mean) / sd)[sd.index[sd > 0]]
    return {f"measurements:{name}": scaled[name].to_numpy(np.float32) for name in scaled}


def _diagnoses(full: pd.Series) -> dict[str, np.ndarray]:
    left, found = full.notna().to_numpy(), {}
    for name, part in DIAGNOSES.items():
        is_it = left & full.fillna("").str.contains(part, regex=False).to_numpy()
        left = left & ~is_it
        found[f"diagnosis:{name}"] = np.where(full.isna(), np.nan, is_it).astype(np.float32)
    return found
