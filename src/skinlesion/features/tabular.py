"""The tabular features: fitted on one fold's training lesions, then encoded as numbers."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from skinlesion.dataset import categories, columns
from skinlesion.dataset.shares import Shares, Tally
from skinlesion.errors import InputError
from skinlesion.features.encoder import (
    MISSING,
    UNSEEN,
    Category,
    Encoder,
    Number,
    load,
    save,
)
from skinlesion.params import Block, nearest

__all__ = [
    "Category",
    "Encoder",
    "Number",
    "Params",
    "fit",
    "load",
    "refuse",
    "save",
    "tally",
    "transform",
]

N_EXAMPLES = 10


class Params(Block):
    """Block `encode`: which columns are features, and how they become numbers."""

    numeric: list[str]
    categorical: list[str]
    scaling: Literal["standard", "robust"]
    missing: Literal["median", "indicator"]
    min_category_count: int = Field(ge=1)


def refuse(p: Params, present: Iterable[str]) -> None:
    """Refuse features that cannot be used.

    Args:
        p: The block `encode`.
        present: The columns of the table.

    Raises:
        InputError: A feature is known in training only, absent from the table, or named twice.
    """
    findings = columns.unusable([*p.numeric, *p.categorical], present)
    if findings:
        raise InputError("\n".join(f"encode: {finding}" for finding in findings))


def fit(lesions: pd.DataFrame, p: Params) -> Encoder:
    """Fit the statistics of the features.

    Args:
        lesions: The training lesions of one fold, and no others.
        p: The block `encode`.

    Returns:
        The encoder, with the shares that were missing or unseen. A column without any value gets
        median 0 and scale 1; a category of fewer than `p.min_category_count` lesions counts as
        unseen, so that `unseen` is learnt.

    Raises:
        InputError: As for `refuse`; or a numeric feature holds text, infinity, or a value that
            the column cannot have.
    """
    refuse(p, lesions.columns)
    encoder = Encoder(
        numeric={name: _number(lesions, name, p) for name in p.numeric},
        categorical={name: _category(lesions[name], p) for name in p.categorical},
        constant=(),
    )
    encoded = transform(lesions, encoder)
    constant = [n for n, c in zip(encoder.names, encoded.T, strict=True) if np.ptp(c) == 0]
    return replace(encoder, constant=tuple(constant))


def transform(lesions: pd.DataFrame, encoder: Encoder) -> np.ndarray:
    """Encode lesions. A value that its column cannot have counts as missing.

    Args:
        lesions: Any lesions, one row each, with the columns `encoder.columns`.
        encoder: From `fit` or `load`.

    Returns:
        Shape (n_lesions, len(encoder.names)), float32, finite.

    Raises:
        InputError: A column is absent, or a numeric feature holds text or infinity.
    """
    columns = [np.empty((len(lesions), 0))]
    columns += [_encode_number(lesions, name, n) for name, n in encoder.numeric.items()]
    columns += [_encode_category(lesions, name, c) for name, c in encoder.categorical.items()]
    return np.hstack(columns).astype(np.float32)


def tally(lesions: pd.DataFrame, encoder: Encoder, found: dict[str, Tally]) -> None:
    """Count by feature what lesions lack that the encoder knows.

    Args:
        lesions: As for `transform`.
        encoder: From `fit` or `load`.
        found: By feature; the lesions are added.

    Raises:
        InputError: As for `transform`.
    """
    for name in encoder.numeric:
        n_missing = int(np.isnan(_possible(lesions, name)).sum())
        found.setdefault(name, Tally()).add(len(lesions), n_missing=n_missing)
    for name, category in encoder.categorical.items():
        code, column = _codes(lesions, name, category), lesions[name]
        n_missing = int((code == len(category.values)).sum())
        unseen = column[code == len(category.values) + 1].astype(str)
        found.setdefault(name, Tally()).add(len(lesions), n_missing=n_missing, unseen=unseen)


def _column(lesions: pd.DataFrame, name: str) -> pd.Series:
    if name not in lesions:
        raise InputError(f"the table must have a column {name!r}.{nearest(name, lesions.columns)}")
    return lesions[name]


def _values(lesions: pd.DataFrame, name: str) -> np.ndarray:
    """Read a numeric feature; NaN where it is missing."""
    column = _column(lesions, name)
    values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    # 1e39 is infinite in float32, which is what the network sees.
    infinite = np.abs(values) > np.finfo(np.float32).max
    wrong = (np.isnan(values) & column.notna().to_numpy()) | infinite
    if wrong.any():
        first, isic_id = column[wrong].tolist()[0], lesions.loc[wrong, "isic_id"].iloc[0]
        raise InputError(
            f"{name} must be a finite number. Got {first!r} instead for {isic_id}"
            f" ({wrong.sum()} such lesions)."
        )
    return np.asarray(values)


def _possible(lesions: pd.DataFrame, name: str) -> np.ndarray:
    """Read a numeric feature; NaN, too, where the column cannot have such a value."""
    values = _values(lesions, name)
    return np.where(columns.outside(name, values), np.nan, values)


def _number(lesions: pd.DataFrame, name: str, p: Params) -> Number:
    values = _values(lesions, name)
    _require_possible(lesions, name, values)
    known = values[~np.isnan(values)]
    indicator, lacking = p.missing == "indicator", _lacking(len(values), len(values) - len(known))
    if not len(known):
        return Number(center=0.0, scale=1.0, median=0.0, indicator=indicator, lacking=lacking)
    low, median, high = np.percentile(known, [25, 50, 75])
    # The standard deviation of a constant is not quite 0: 1.4e-17 for three times 0.1.
    varies = np.ptp(known) > 0
    center, scale = (median, high - low) if p.scaling == "robust" else (known.mean(), known.std())
    return Number(
        center=float(center),
        scale=float(scale) if varies and scale > 0 else 1.0,
        median=float(median),
        indicator=indicator,
        lacking=lacking,
    )


def _require_possible(lesions: pd.DataFrame, name: str, values: np.ndarray) -> None:
    wrong = columns.outside(name, values)
    if wrong.any():
        isic_ids = lesions.loc[wrong, "isic_id"].tolist()
        raise InputError(
            f"{name} must be {columns.NUMERIC[name]}. Got {values[wrong][0]:.7g} first, in "
            f"{len(isic_ids):,} training lesions: {', '.join(isic_ids[:N_EXAMPLES])}"
        )


def _category(column: pd.Series, p: Params) -> Category:
    keys, shown = categories.canonical(column), categories.shown(column)
    counts = keys.value_counts().drop([MISSING, UNSEEN], errors="ignore")
    common = counts[counts >= p.min_category_count]
    n_missing = int((keys.isna() | (keys == MISSING)).sum())
    n_unseen = len(keys) - n_missing - int(common.sum())
    return Category(
        values=tuple(sorted(shown[common.index])),
        lacking=_lacking(len(keys), n_missing, n_unseen),
    )


def _lacking(n_lesions: int, n_missing: int, n_unseen: int = 0) -> Shares:
    n = max(1, n_lesions)
    return Shares(n_lesions=n_lesions, missing=n_missing / n, unseen=n_unseen / n)


def _encode_number(lesions: pd.DataFrame, name: str, number: Number) -> np.ndarray:
    values = _possible(lesions, name)
    missing = np.isnan(values)
    scaled = (np.where(missing, number.median, values) - number.center) / number.scale
    return np.column_stack([scaled, missing][: 1 + number.indicator])


def _encode_category(lesions: pd.DataFrame, name: str, category: Category) -> np.ndarray:
    one_hot: np.ndarray = np.eye(len(category.values) + 2)[_codes(lesions, name, category)]
    return one_hot


def _codes(lesions: pd.DataFrame, name: str, category: Category) -> np.ndarray:
    """Number categories in the order of `values`, then missing, then unseen."""
    known, keys = len(category.values), categories.canonical(_column(lesions, name))
    # A value that reads "missing" or "unseen" goes where its name says.
    names = categories.canonical(pd.Series([*category.values, MISSING, UNSEEN], dtype="str"))
    code: np.ndarray = pd.Index(names).get_indexer(pd.Index(keys))
    code = np.where(code < 0, known + 1, code)
    code[keys.isna().to_numpy()] = known
    return code
