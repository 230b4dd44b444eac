"""Whether both tables can give the features of params.yaml: hours of training come before a no."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from skinlesion.dataset import categories, columns
from skinlesion.dataset.shares import Shares, Tally
from skinlesion.params import nearest
from skinlesion.preparation import check_table
from skinlesion.preparation.findings import Findings, Part

__all__ = ["Wanted", "inspect"]

# What tables of scores hold, beside which the baseline is put.
_WRITTEN = re.compile(
    r"isic_id|patient_id|target|fold|score(_alone)?|probability|uncertainty|shift|member_.*"
    r"|(network|table)_sd_.*"
)


@dataclass(frozen=True)
class Wanted:
    """The columns that later stages read."""

    numeric: Sequence[str]  # encode.numeric
    categorical: Sequence[str]  # encode.categorical
    baseline: str | None  # evaluate.baseline


def inspect(parts: Mapping[str, Part], wanted: Wanted, findings: Findings) -> None:
    """Require what later stages would refuse, or could not score by.

    Args:
        parts: Under "train" and "test".
        wanted: The columns that later stages read.
        findings: What is wrong is added here; what the test half has more of, missing or unseen,
            than the training half is a warning.
    """
    train, test = parts["train"], parts["test"]
    features = [*wanted.numeric, *wanted.categorical]
    for finding in columns.unusable(features, train.table.columns):
        findings.errors[f"encode: {finding}"] += []
    usable = [n for n in dict.fromkeys(features) if not columns.unusable([n], train.table.columns)]
    for name in usable:
        if name not in test.table:
            near = nearest(name, test.table.columns)
            findings.errors[f"{test.table_name}: must have the feature {name!r}.{near}"] += []
    for part in parts.values():
        for name in [n for n in dict.fromkeys(wanted.numeric) if n not in columns.NUMERIC]:
            _require_numbers(name, part, findings)
    for name in usable:
        if name in test.table and len(train.table) and len(test.table):
            _compare(name, name in wanted.categorical, train, test, findings)
    _baseline(wanted.baseline, train, findings)


def _require_numbers(name: str, part: Part, findings: Findings) -> None:
    """Require a feature whose column is not known to hold numbers."""
    if name not in part.table or "isic_id" not in part.table:
        return
    column = part.table[name]
    wrong = column.notna() & ~np.isfinite(check_table.numbers(column))
    if wrong.any():
        first = column[wrong].tolist()[0]
        what = f"{part.table_name}: {name} must be a finite number. Got {first!r} first"
        findings.errors[what] += check_table.named(part.table, part.table.index[wrong].tolist())


def _compare(name: str, is_category: bool, train: Part, test: Part, findings: Findings) -> None:
    """Compare what the test half lacks in a feature with what the training half does."""
    known = _known(name, is_category, train.table)
    given = _known(name, is_category, test.table)
    unseen = test.table[name][given.notna() & ~given.isin(known.unique())] if is_category else ()
    lacking = Shares(n_lesions=len(known), missing=float(known.isna().mean()))
    found = Tally()
    found.add(len(given), n_missing=int(given.isna().sum()), unseen=map(str, unseen))
    if error := found.error(lacking):
        findings.errors[f"{test.table_name}: {name}: {error}"] += []
    for warning in found.warnings(lacking) if not error else []:
        findings.warnings[f"{test.table_name}: {name}: {warning}"] += []


def _known(name: str, is_category: bool, table: pd.DataFrame) -> pd.Series:
    if is_category:
        return categories.canonical(table[name])
    values = check_table.numbers(table[name])
    return values.mask(columns.outside(name, values.to_numpy()))


def _baseline(name: str | None, train: Part, findings: Findings) -> None:
    if name is None:
        return
    if name not in train.table:
        near = nearest(name, train.table.columns)
        what = f"evaluate.baseline: {name!r} is no column of {train.table_name}.{near}"
        findings.errors[what] += []
        return
    if _WRITTEN.fullmatch(name):
        what = f"evaluate.baseline: {name!r} must be none of the columns that stages write"
        findings.errors[what] += []
    values = check_table.numbers(train.table[name])
    if values.isna().all() or np.isinf(values).any():
        what = f"evaluate.baseline: {name!r} must be a column of finite numbers"
        findings.errors[what] += []
