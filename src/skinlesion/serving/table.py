"""The lesions of a patient as a CSV file, read and refused as every metadata table is."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from skinlesion.dataset import metadata
from skinlesion.errors import InputError
from skinlesion.serving import refusal, values
from skinlesion.serving.values import IDS, Column

__all__ = ["read"]

N_COLUMNS, N_HEADER_BYTES = 1000, 1 << 16  # at most
N_SHOWN = 5


def read(content: bytes | bytearray, needed: Sequence[Column]) -> pd.DataFrame:
    """Read the lesions of a patient.

    Args:
        content: A CSV file with isic_id, patient_id if it is known, and the columns that the
            models read.
        needed: Those columns.

    Returns:
        isic_id, patient_id and the columns, in the order of the file.

    Raises:
        RefusalError: As `metadata.read` refuses a table; a value is none of its column's; or the
            lesions are none, unnamed, named twice, or of several patients.
    """
    header = content[:N_HEADER_BYTES].partition(b"\n")[0]
    _require_few(N_COLUMNS + 1 if len(header) == N_HEADER_BYTES else header.count(b",") + 1)
    text = [c.name for c in needed if not c.is_number]
    try:
        with _as_file(content) as path:
            present = metadata.header(path)
            _require_few(len(present))  # maybe behind an empty line, or with a line end in a name
            values.require([Column("isic_id", is_number=False), *needed], present, "table")
            wanted = {*IDS, *(c.name for c in needed)} & set(present)
            table = metadata.read(path, columns=wanted, text=text)
    except InputError as error:
        named = InputError(str(error).replace(str(path), "table"))  # no path is told
        raise refusal.of_input(named, "table") from None
    _require_one_patient(table)
    isic_ids = table["isic_id"]
    checked = {c.name: values.column(table[c.name], c, isic_ids) for c in needed}
    return pd.DataFrame({name: table[name] for name in IDS} | checked)


def _require_few(n_columns: int) -> None:
    if n_columns > N_COLUMNS:
        raise refusal.one(413, "table", f"at most {N_COLUMNS:,} columns", "more")


@contextmanager
def _as_file(content: bytes | bytearray) -> Iterator[Path]:
    """Give what is in memory a path, under which the readers of files find it.

    On Linux it stays in memory. Elsewhere it is a file of this user's, for as long as it is read.
    """
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("table"), "wb") as file:
            file.write(content)
            file.flush()
            yield Path(f"/proc/self/fd/{file.fileno()}")
        return
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        yield Path(file.name)


def _require_one_patient(table: pd.DataFrame) -> None:
    if table.empty:
        raise refusal.one(422, "table", "a row per lesion", "no row")
    if "patient_id" not in table:
        table["patient_id"] = IDS["patient_id"]
    table["patient_id"] = table["patient_id"].fillna(IDS["patient_id"])
    patients = sorted(table["patient_id"].unique())
    if len(patients) > 1:
        found = f"{len(patients):,}: {', '.join(patients[:N_SHOWN])}"
        raise refusal.one(422, "table: patient_id", "lesions of one patient", found)
    if (absent := table["isic_id"].isna()).any():
        raise refusal.one(422, "table: isic_id", "an id in each row", f"{absent.sum()} without")
    twice = table["isic_id"][table["isic_id"].duplicated()]
    if len(twice):
        raise refusal.one(422, f"table: isic_id, {twice.iloc[0]}", "one row per lesion", "two")
