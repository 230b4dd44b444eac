"""The table of a challenge folder: its columns, its ids, and that its values can be."""

import numpy as np
import pandas as pd
import pandera.pandas as pa

from skinlesion.dataset import columns, ids
from skinlesion.params import nearest
from skinlesion.preparation.findings import Findings, Part

__all__ = ["inspect", "isic_ids", "named", "numbers"]

SPELLED = "must be spelled in one way; case, spaces, leading zeros and .0 are no difference"
# A value in the place of "missing" is common, and lies where no other does.
SENTINEL_SHARE, MIN_SENTINELS = 0.1, 5
MIN_DISTINCT, GAPS = 10, 3  # of the other values, and how many times their gaps


def inspect(part: Part, findings: Findings) -> None:
    """Validate a table.

    A value that a column cannot have is an error in training. In the test half it is a warning:
    it counts as missing there, since every test lesion is scored.

    Args:
        part: A half of the folder.
        findings: What is wrong is added here.
    """
    required = columns.REQUIRED if part.training else ("isic_id",)
    absent = [column for column in required if column not in part.table]
    for column in absent:
        near = nearest(column, part.table.columns)
        findings.errors[f"{part.table_name}: must have a column {column!r}.{near}"] += []
    if not len(part.table):
        findings.errors[f"{part.table_name}: must hold lesions"] += []
    if absent or not len(part.table):
        return
    try:
        _schema(part.training).validate(part.table, lazy=True)
    except pa.errors.SchemaErrors as error:
        _collect(error.failure_cases, part, findings)
    _spellings(part, findings)
    for name in part.table.columns.intersection(list(columns.NUMERIC)):
        values = numbers(part.table[name]).to_numpy()
        _range(name, values, part, findings)
        _sentinel(name, values, part, findings)


def isic_ids(table: pd.DataFrame) -> pd.Series:
    """List the isic_ids of a table, without those that are missing.

    Args:
        table: Any; without a column isic_id there are none.
    """
    return table.get("isic_id", pd.Series(dtype=str)).dropna().astype(str)


def named(table: pd.DataFrame, rows: list[int]) -> list[str]:
    """Name lesions by isic_id, or by the line of the file where there is none.

    Args:
        table: With a column isic_id, and the index that it was read with.
        rows: Labels of that index.
    """
    found = zip(table["isic_id"].loc[rows], rows, strict=True)
    return [i if isinstance(i, str) else f"row {row + 2}" for i, row in found]


def numbers(column: pd.Series) -> pd.Series:
    """Read a column as numbers, float64; NaN where it holds anything else.

    What is infinite in float32, which models read, is infinite here: later stages refuse it.

    Args:
        column: Numbers, or texts.
    """
    values: pd.Series = pd.to_numeric(column, "coerce").astype(float)
    return values.mask(values.abs() > np.finfo(np.float32).max, np.inf)


def _schema(training: bool) -> pa.DataFrameSchema:
    plain = pa.Check(lambda s: ~s.astype(str).str.contains("/"), error="must not hold a slash")
    number = pa.Check(lambda s: np.isfinite(numbers(s)), error="must be a finite number")
    binary = pa.Check(lambda s: numbers(s).isin([0, 1]), error="must be 0 or 1")
    checked = {
        "isic_id": pa.Column(checks=[plain], unique=True, report_duplicates="all"),
        "patient_id": pa.Column(required=training),
    }
    checked |= {
        c: pa.Column(checks=[number], nullable=True, required=False) for c in columns.NUMERIC
    }
    if training:
        checked["target"] = pa.Column(checks=[binary])
    return pa.DataFrameSchema(checked)


def _collect(cases: pd.DataFrame, part: Part, findings: Findings) -> None:
    words = {"not_nullable": "must not be missing", "field_uniqueness": "must not occur twice"}
    for key, group in cases.groupby(["column", "check"], sort=False):
        column, check = map(str, key)
        # Labels, not places: they count the rows of the file, also after `exclude`.
        rows = group["index"].astype(int).tolist()
        first = group["failure_case"].infer_objects().tolist()[0]
        found = "" if check in words else f". Got {first!r} first"
        what = f"{part.table_name}: {column} {words.get(check, check)}{found}"
        findings.errors[what] += named(part.table, rows)


def _spellings(part: Part, findings: Findings) -> None:
    for column in [c for c in ("patient_id", "isic_id") if c in part.table]:
        given = part.table[column].dropna().astype(str)
        groups = [" = ".join(map(repr, group)) for group in ids.spellings(given)]
        if groups:
            findings.errors[f"{part.table_name}: {column} {SPELLED}"] += groups


def _range(name: str, values: np.ndarray, part: Part, findings: Findings) -> None:
    wrong = columns.outside(name, values) & np.isfinite(values)
    if not wrong.any():
        return
    what = f"{part.table_name}: {name} must be {columns.NUMERIC[name]}"
    rows = part.table.index[wrong].tolist()
    first = f"Got {values[wrong][0]:.7g} first"
    if part.training:
        findings.errors[f"{what}. {first}"] += named(part.table, rows)
    else:
        findings.warnings[f"{what}, else it counts as missing. {first}"] += named(part.table, rows)


def _sentinel(name: str, values: np.ndarray, part: Part, findings: Findings) -> None:
    possible = np.isfinite(values) & ~columns.outside(name, values)
    quantity, known = columns.NUMERIC[name], values[possible]
    if quantity.piles_up or not len(known):
        return
    distinct = np.unique(known)
    for end, others in ((distinct[0], distinct[1:]), (distinct[-1], distinct[:-1])):
        here = values == end
        if here.sum() < MIN_SENTINELS or here.mean() <= SENTINEL_SHARE:
            continue
        if end in (quantity.low, quantity.high) or _is_apart(end, others):
            what = f"{part.table_name}: {name} is {end:g} in {here.mean():.0%} of the rows, at the "
            what += "end of its range. Does it stand for a missing value?"
            findings.warnings[what] += named(part.table, part.table.index[here].tolist())


def _is_apart(end: float, others: np.ndarray) -> bool:
    """Whether a value lies away from the others, which lie side by side."""
    if len(others) < MIN_DISTINCT:
        return False
    gap: float = np.abs(others - end).min()
    return bool(gap > GAPS * np.quantile(np.diff(others), 0.95))
