"""The tabular features: an encoder fitted on one fold's training lesions, readable as JSON."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from skinlesion.dataset.metadata import TRAIN_ONLY
from skinlesion.errors import InputError
from skinlesion.params import Block, nearest

__all__ = ["Category", "Encoder", "Number", "Params", "fit", "load", "refuse", "save", "transform"]

MISSING, UNSEEN = "missing", "unseen"


class Params(Block):
    """Block `encode`: which columns are features, and how they become numbers."""

    numeric: list[str]
    categorical: list[str]
    scaling: Literal["standard", "robust"]
    missing: Literal["median", "indicator"]
    min_category_count: int = Field(ge=1)


@dataclass(frozen=True, kw_only=True)
class Number:
    """A numeric feature: (value or median - center) / scale, then maybe a missing indicator."""

    center: float
    scale: float
    median: float
    indicator: bool


@dataclass(frozen=True, kw_only=True)
class Category:
    """A categorical feature: one column per known value, then `missing` and `unseen`."""

    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """Fitted statistics by feature, and which encoded columns never varied in training."""

    numeric: Mapping[str, Number]
    categorical: Mapping[str, Category]
    constant: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        """The columns of the metadata that the encoder reads."""
        return [*self.numeric, *self.categorical]

    @property
    def names(self) -> list[str]:
        """The names of the encoded columns, in their order."""
        names: list[str] = []
        for feature, number in self.numeric.items():
            names += [feature, f"{feature}={MISSING}"][: 1 + number.indicator]
        for feature, category in self.categorical.items():
            names += [f"{feature}={value}" for value in (*category.values, MISSING, UNSEEN)]
        return names

    @property
    def constant_indices(self) -> tuple[int, ...]:
        """The places of the columns that never varied in training."""
        return tuple(self.names.index(name) for name in self.constant)


def refuse(p: Params, present: Iterable[str]) -> None:
    """Refuse features that cannot be used.

    Args:
        p: The block `encode`.
        present: The columns of the table.

    Raises:
        InputError: A feature is known in training only, absent from the table, or named twice.
    """
    features, present = [*p.numeric, *p.categorical], set(present)
    findings = []
    for name in dict.fromkeys(features):
        if name in TRAIN_ONLY:
            findings.append(f"{name!r} is known only in training and gives the diagnosis away")
        elif name in ("isic_id", "patient_id"):
            findings.append(f"{name!r} says who a lesion belongs to, not what it is like")
        elif name not in present:
            findings.append(f"{name!r} is no column of the table.{nearest(name, present)}")
        elif features.count(name) > 1:
            findings.append(f"{name!r} is named more than once")
    if findings:
        raise InputError("\n".join(f"encode: {finding}" for finding in findings))


def fit(lesions: pd.DataFrame, p: Params) -> Encoder:
    """Fit the statistics of the features.

    Args:
        lesions: The training lesions of one fold, and no others.
        p: The block `encode`.

    Returns:
        The encoder. A column without any value gets median 0 and scale 1; a category of fewer
        than `p.min_category_count` lesions counts as unseen, so that `unseen` is learnt.

    Raises:
        InputError: As for `refuse`; or a numeric feature holds text or infinity.
    """
    refuse(p, lesions.columns)
    encoder = Encoder(
        numeric={name: _number(lesions, name, p) for name in p.numeric},
        categorical={name: _category(lesions[name], p) for name in p.categorical},
        constant=(),
    )
    encoded = transform(lesions, encoder)
    constant = [n for n, c in zip(encoder.names, encoded.T, strict=True) if np.ptp(c) == 0]
    return Encoder(
        numeric=encoder.numeric, categorical=encoder.categorical, constant=tuple(constant)
    )


def transform(lesions: pd.DataFrame, encoder: Encoder) -> np.ndarray:
    """Encode lesions.

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


def save(encoder: Encoder, path: Path) -> None:
    """Write an encoder as JSON that a person can read.

    Args:
        encoder: From `fit`.
        path: The file to write.
    """
    path.write_text(json.dumps(asdict(encoder), indent=1) + "\n")


def load(path: Path) -> Encoder:
    """Read an encoder that `save` wrote.

    Args:
        path: encoder.json.

    Raises:
        InputError: The file is absent or is no encoder.
    """
    try:
        given = json.loads(path.read_text())
        return Encoder(
            numeric={name: Number(**n) for name, n in given["numeric"].items()},
            categorical={
                name: Category(values=tuple(c["values"]))
                for name, c in given["categorical"].items()
            },
            constant=tuple(given["constant"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} must be an encoder. {error!r}") from None


def _values(lesions: pd.DataFrame, name: str) -> np.ndarray:
    if name not in lesions:
        raise InputError(f"the table must have a column {name!r}.{nearest(name, lesions.columns)}")
    values = pd.to_numeric(lesions[name], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    # 1e39 is infinite in float32, which is what the network sees.
    infinite = np.abs(values) > np.finfo(np.float32).max
    wrong = (np.isnan(values) & lesions[name].notna().to_numpy()) | infinite
    if wrong.any():
        first, isic_id = lesions.loc[wrong, name].tolist()[0], lesions.loc[wrong, "isic_id"].iloc[0]
        raise InputError(
            f"{name} must be a finite number. Got {first!r} instead for {isic_id}"
            f" ({wrong.sum()} such lesions)."
        )
    return values


def _number(lesions: pd.DataFrame, name: str, p: Params) -> Number:
    values = _values(lesions, name)
    known = values[~np.isnan(values)]
    if not len(known):
        return Number(center=0.0, scale=1.0, median=0.0, indicator=p.missing == "indicator")
    low, median, high = np.percentile(known, [25, 50, 75])
    # The standard deviation of a constant is not quite 0: 1.4e-17 for three times 0.1.
    varies = np.ptp(known) > 0
    center, scale = (median, high - low) if p.scaling == "robust" else (known.mean(), known.std())
    return Number(
        center=float(center),
        scale=float(scale) if varies and scale > 0 else 1.0,
        median=float(median),
        indicator=p.missing == "indicator",
    )


def _category(column: pd.Series, p: Params) -> Category:
    counts = column.dropna().astype(str).value_counts().drop([MISSING, UNSEEN], errors="ignore")
    return Category(values=tuple(sorted(counts.index[counts >= p.min_category_count])))


def _encode_number(lesions: pd.DataFrame, name: str, number: Number) -> np.ndarray:
    values = _values(lesions, name)
    missing = np.isnan(values)
    scaled = (np.where(missing, number.median, values) - number.center) / number.scale
    return np.column_stack([scaled, missing][: 1 + number.indicator])


def _encode_category(lesions: pd.DataFrame, name: str, category: Category) -> np.ndarray:
    if name not in lesions:
        raise InputError(f"the table must have a column {name!r}.{nearest(name, lesions.columns)}")
    known, column = len(category.values), lesions[name]
    # A value that reads "missing" or "unseen" goes where its name says.
    places = pd.Index([*category.values, MISSING, UNSEEN])
    code = places.get_indexer(pd.Index(column.astype(str)))
    code = np.where(column.isna(), known, np.where(code < 0, known + 1, code))
    return np.eye(known + 2)[code]
