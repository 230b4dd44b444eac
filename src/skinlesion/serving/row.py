"""One lesion's row as a JSON object."""

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from skinlesion.serving import refusal, values
from skinlesion.serving.values import IDS, Column

__all__ = ["read"]

N_BYTES = 1 << 16  # at most; the longest row of the challenge has 2 KB


def read(content: bytes | bytearray, needed: Sequence[Column]) -> pd.DataFrame:
    """Read a row.

    Args:
        content: A JSON object in UTF-8, with the columns that the models read.
        needed: Those columns.

    Returns:
        One row: isic_id, patient_id and the columns; what else the object holds is left out.

    Raises:
        RefusalError: It is no such object, or a value is none of its column's.
    """
    row = _object_of(content)
    values.require(needed, row, "row")
    named = {name: [_id(row.get(name), name)] for name in IDS}
    return pd.DataFrame(named | {c.name: [values.value(row[c.name], c, "row")] for c in needed})


def _object_of(content: bytes | bytearray) -> dict[str, Any]:
    if len(content) > N_BYTES:
        raise refusal.one(413, "row", f"at most {N_BYTES:,} bytes", f"{len(content):,}")
    try:
        row = json.loads(content.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise refusal.one(422, "row", "a JSON object in UTF-8", "text that is none") from None
    if not isinstance(row, dict):
        raise refusal.one(422, "row", "a JSON object", type(row).__name__)
    return row


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise refusal.one(422, "row", "each name once", "a name more than once")
    return found


def _no_number(text: str) -> float:
    raise refusal.one(422, "row", "finite numbers, or null", text)


def _id(given: object, name: str) -> str:
    if given is None:
        return IDS[name]
    text = given.strip() if isinstance(given, str) else ""
    if not text or not text.isprintable():
        raise refusal.one(422, f"row: {name}", "printable text", repr(given))
    return text
