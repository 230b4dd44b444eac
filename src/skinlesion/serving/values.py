"""The values of a row: numbers in the range of their column, and text that can be written."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from skinlesion.dataset import columns
from skinlesion.params import nearest
from skinlesion.serving import refusal

__all__ = ["IDS", "Column", "column", "require", "value"]

IDS = {"isic_id": "lesion", "patient_id": "patient"}  # what stands for one that is not given
MOST = np.finfo(np.float32).max  # what networks compute in


@dataclass(frozen=True)
class Column:
    """A column that the models of a bundle read."""

    name: str
    is_number: bool

    @cached_property
    def expected(self) -> str:
        """What a value must be, in words."""
        if not self.is_number:
            return "text, or nothing"
        quantity = columns.NUMERIC.get(self.name)
        return f"a number {quantity}, or nothing" if quantity else "a number, or nothing"


def require(needed: Iterable[Column], present: Iterable[str], field: str) -> None:
    """Require the columns that the models read.

    Args:
        needed: The columns.
        present: Names of those that there are.
        field: The part of the request.

    Raises:
        RefusalError: 422, with a finding per column that is absent.
    """
    present = list(present)
    absent = [c for c in needed if c.name not in set(present)]
    if absent:
        findings = [
            refusal.Finding(
                field=f"{field}: {c.name}",
                expected=c.expected,
                found=f"no such column.{nearest(c.name, present)}",
            )
            for c in absent
        ]
        raise refusal.RefusalError(422, findings)


def value(given: object, column: Column, field: str) -> float | str | None:
    """Read one value of a JSON row.

    Args:
        given: As JSON has it. A number may be written as text, as in a CSV file.
        column: Where it stands.
        field: The part of the request.

    Returns:
        A number, NaN where there is none; or text, None where there is none.

    Raises:
        RefusalError: 422, it is no such value.
    """
    where = f"{field}: {column.name}"
    if given is None or given == "":
        return math.nan if column.is_number else None
    if column.is_number:
        return _number(given, column, where)
    return _text(given, column.expected, where)


def column(given: pd.Series, of: Column, isic_ids: pd.Series) -> pd.Series:
    """Read the values of a column of a table.

    Args:
        given: As pandas read them.
        of: Which column.
        isic_ids: Of the same rows.

    Returns:
        Float64, NaN where missing; or text as it is.

    Raises:
        RefusalError: 422, a value is none of the column's; the first such lesion is named.
    """
    if not of.is_number:
        return given
    numbers = pd.to_numeric(given, errors="coerce").astype(np.float64)
    values = numbers.to_numpy(na_value=np.nan)
    wrong = np.isnan(values) & given.notna().to_numpy()
    wrong |= _impossible(of.name, values)
    if wrong.any():
        at = int(wrong.argmax())
        where = f"table: {of.name}, {isic_ids.iloc[at]}"
        raise refusal.one(422, where, of.expected, given.iloc[at])
    return numbers


def _impossible(name: str, values: np.ndarray) -> np.ndarray:
    return np.asarray(columns.outside(name, values) | (np.abs(values) > MOST))


def _number(given: object, column: Column, where: str) -> float:
    try:
        if isinstance(given, bool) or not isinstance(given, int | float | str):
            raise ValueError
        number = float(given)
    except (ValueError, OverflowError):
        raise refusal.one(422, where, column.expected, repr(given)) from None
    if math.isnan(number) or _impossible(column.name, np.array([number]))[0]:
        raise refusal.one(422, where, column.expected, repr(given))
    return number


def _text(given: object, expected: str, where: str) -> str:
    if not isinstance(given, str) or not _can_be_written(given):
        raise refusal.one(422, where, expected, repr(given))
    return given


def _can_be_written(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return "\0" not in text
