"""Anomalies of a table that is to be scored: how it differs from what encoders were fitted on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from skinlesion.dataset import columns, metadata
from skinlesion.dataset.shares import Tally
from skinlesion.errors import InputError
from skinlesion.features import tabular
from skinlesion.features.encoder import Encoder

__all__ = ["said"]

N_AT_A_TIME = 50_000  # lesions
N_EXAMPLES = 10


def said(metadata_csv: Path, encoders: Sequence[Encoder]) -> str:
    """Say what the lesions of a table lack that training lesions did not.

    Args:
        metadata_csv: Their table, read a piece at a time.
        encoders: Of the models that will score them.

    Returns:
        A line per warning, each with its end: values that a column cannot have, which count as
        missing, with the first ten isic_ids; a larger share missing or unseen than in training,
        with the values. "" if there is none.

    Raises:
        InputError: The table lacks a feature, a numeric feature holds text, or no lesion has a
            value that training lesions had.
    """
    names = dict.fromkeys(name for e in encoders for name in e.columns)
    text = {name for e in encoders for name in e.categorical}
    numeric = [name for name in names if name not in text]
    found: list[dict[str, Tally]] = [{} for _ in encoders]
    impossible: dict[str, list[str]] = {name: [] for name in numeric}
    for lesions in metadata.chunks(
        metadata_csv, columns=["isic_id", *names], text=text, n_lesions=N_AT_A_TIME
    ):
        for encoder, tallies in zip(encoders, found, strict=True):
            _count(lesions, encoder, tallies, metadata_csv.name)
        for name in numeric:
            impossible[name] += _impossible(lesions, name)
    lines = _ranges(impossible) + _lacking(encoders, found, metadata_csv.name)
    return "".join(f"warning: {metadata_csv.name}: {line}\n" for line in lines)


def _count(lesions: pd.DataFrame, encoder: Encoder, tallies: dict[str, Tally], name: str) -> None:
    try:
        tabular.tally(lesions, encoder, tallies)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _impossible(lesions: pd.DataFrame, name: str) -> list[str]:
    """Name lesions by isic_id, or by the line of the file where there is none."""
    values = pd.to_numeric(lesions[name], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    found = lesions.loc[columns.outside(name, values), "isic_id"]
    return [i if isinstance(i, str) else f"row {row + 2}" for row, i in found.items()]


def _ranges(impossible: dict[str, list[str]]) -> list[str]:
    return [
        f"{name} must be {columns.NUMERIC[name]}, else it counts as missing ({len(ids):,}): "
        f"{', '.join(ids[:N_EXAMPLES])}{' ...' * (len(ids) > N_EXAMPLES)}"
        for name, ids in impossible.items()
        if ids
    ]


def _lacking(
    encoders: Sequence[Encoder], found: Sequence[dict[str, Tally]], name: str
) -> list[str]:
    warnings: dict[str, list[str]] = {}
    compared = (
        (feature, tallies[feature], lacking)
        for encoder, tallies in zip(encoders, found, strict=True)
        for feature, lacking in encoder.lacking.items()
    )
    for feature, tally, lacking in compared:
        if error := tally.error(lacking):
            raise InputError(f"{name}: {feature}: {error}.")
        # Once, though the models of all folds may say it with slightly other shares.
        if lines := tally.warnings(lacking):
            warnings.setdefault(feature, lines)
    return [f"{feature}: {line}" for feature, lines in warnings.items() for line in lines]
