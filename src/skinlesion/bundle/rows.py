"""The columns that a bundle reads of a lesion's row, and rows that lack or spoil one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from skinlesion.bundle.networks import Networks
from skinlesion.bundle.table import Table
from skinlesion.dataset.columns import NUMERIC
from skinlesion.errors import InputError
from skinlesion.params import nearest

__all__ = ["IDS", "Columns", "checked", "of"]

IDS = ("isic_id", "patient_id")  # the latter may be absent, or missing: a lesion scored alone


@dataclass(frozen=True)
class Columns:
    """What is read: names, and by name which members read it and which values they know."""

    numeric: list[str]
    text: list[str]
    members: dict[str, list[str]]
    categories: dict[str, list[str]]

    def described(self) -> list[dict[str, Any]]:
        """Describe each column: name, kind, unit, low, high, categories, members."""
        return [self._described(name) for name in [*self.numeric, *self.text]]

    def _described(self, name: str) -> dict[str, Any]:
        quantity = NUMERIC.get(name) if name in self.numeric else None
        return {
            "name": name,
            "kind": "number" if name in self.numeric else "text",
            "unit": quantity.unit if quantity else "",
            "low": quantity.low if quantity else None,
            "high": quantity.high if quantity else None,
            "categories": self.categories.get(name, []),
            "members": self.members[name],
        }


def of(networks: Networks, table: Table | None) -> Columns:
    """List the columns that the members read.

    Args:
        networks: Those of the bundle.
        table: Its table experts, if any.
    """
    encoders = [m.encoder for m in networks.values()]
    by_network = (_each(e.numeric for e in encoders), _each(e.categorical for e in encoders))
    by_table = (table.numeric, table.text) if table else ([], [])
    text = _each([by_network[1], by_table[1]])
    numeric = [name for name in _each([by_network[0], by_table[0]]) if name not in text]
    readers = {"network": _each(by_network), "table": _each(by_table)}
    known: dict[str, set[str]] = {}
    for encoder in encoders:
        for name, category in encoder.categorical.items():
            known.setdefault(name, set()).update(category.values)
    for e in table.experts.values() if table else []:
        for name, values in e.categories.items():
            known.setdefault(name, set()).update(values)
    return Columns(
        numeric,
        text,
        {n: [r for r, names in readers.items() if n in names] for n in [*numeric, *text]},
        {name: sorted(values) for name, values in known.items()},
    )


def checked(lesions: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Take the columns that are read, and refuse rows that cannot be scored.

    Args:
        lesions: One row per lesion, with any further columns.
        columns: From `of`.

    Returns:
        isic_id, patient_id where there is any, and the columns; numbers as float64.

    Raises:
        InputError: There is no lesion; a column is absent; an isic_id is missing or occurs twice;
            or a number is none, or infinite.
    """
    for name in [IDS[0], *columns.numeric, *columns.text]:
        if name not in lesions:
            raise InputError(
                f"the table must have a column {name!r}.{nearest(name, lesions.columns)}"
            )
    if lesions.empty:
        raise InputError("the table must hold lesions. It holds none.")
    ids = [name for name in IDS if name in lesions]
    found = lesions[[*ids, *columns.text]].reset_index(drop=True).astype(object)
    found = found.where(found.notna(), None)
    if found["isic_id"].isna().any():
        row = int(found["isic_id"].isna().to_numpy().argmax()) + 1
        raise InputError(f"the table must name every lesion. Row {row} has no isic_id.")
    if not found["isic_id"].is_unique:
        twice = found["isic_id"][found["isic_id"].duplicated()].iloc[0]
        raise InputError(f"the table must name each isic_id once. Got {twice!r} again.")
    numbers = {name: _number(lesions[name], lesions["isic_id"]) for name in columns.numeric}
    return pd.concat([found, pd.DataFrame(numbers)], axis=1)


def _number(column: pd.Series, isic_ids: pd.Series) -> np.ndarray:
    values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = (np.isnan(values) & column.notna().to_numpy()) | np.isinf(values)
    if wrong.any():
        raise InputError(
            f"{column.name} must be a finite number. Got {column[wrong].tolist()[0]!r} instead for "
            f"{isic_ids[wrong].iloc[0]} ({wrong.sum()} such lesions)."
        )
    return np.asarray(values)


def _each(names: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(name for some in names for name in some))
