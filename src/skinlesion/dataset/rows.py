"""A CSV file before its values are read: that it is text, and that each of its rows is whole."""

import codecs
import csv
import importlib.util
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from skinlesion.dataset import recognition
from skinlesion.errors import InputError

__all__ = ["require_text", "require_whole"]

N_BYTES = 1 << 20  # read at a time
N_SHOWN = 60  # characters of a row that is not whole


def require_text(path: Path) -> None:
    """Require a file to be text in UTF-8, reading a piece of it at a time.

    Args:
        path: The file.

    Raises:
        InputError: Bytes of it are no UTF-8, or are NUL; the first line with such is named.
    """
    decoder, line = codecs.getincrementaldecoder("utf-8")(), 1
    for piece in _pieces(path):
        if (at := piece.find(b"\0")) >= 0:
            number = line + piece.count(b"\n", 0, at)
            raise InputError(f"{path} must be text. Line {number} holds a NUL byte.")
        try:
            decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            raise InputError(_not_utf8(path, error, line)) from None
        line += piece.count(b"\n")


def require_whole(path: Path, n_fields: int) -> None:
    """Require each row of a CSV file to have a field for each column.

    pandas takes the fields that a row lacks for missing values, so what a file that was cut off
    has lost would be lost in silence.

    Args:
        path: A CSV file in UTF-8, read a piece at a time.
        n_fields: The number of columns.

    Raises:
        InputError: A row has fewer or more fields; the first such line is named.
    """
    if importlib.util.find_spec("pyarrow") and _arrow_agrees(path):
        return
    for line, row in _rows(path):
        if len(row) != n_fields and (len(row) > 1 or "".join(row).strip()):
            text = ",".join(row)
            shown = repr(text[:N_SHOWN]) + "..." * (len(text) > N_SHOWN)
            raise InputError(
                f"{path} must have as many fields in each row as in its header, {n_fields}. "
                f"Line {line} has {len(row)}: {shown}"
            )


def _pieces(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file a piece at a time; the last piece is empty."""
    with path.open("rb") as file:
        while piece := file.read(N_BYTES):
            yield piece
    yield b""


def _arrow_agrees(path: Path) -> bool:
    """Whether Arrow finds as many fields in each row, in a tenth of the time of `_rows`."""
    import pyarrow as pa
    import pyarrow.csv as pc

    wrong = False

    def stop(row: pc.InvalidRow) -> str:
        nonlocal wrong
        wrong = True
        return "error"

    reading = pc.ReadOptions(use_threads=False, block_size=N_BYTES, autogenerate_column_names=True)
    parsing = pc.ParseOptions(newlines_in_values=True, invalid_row_handler=stop)
    first = pc.ConvertOptions(
        include_columns=["f0"], column_types={"f0": pa.binary()}, check_utf8=False
    )
    try:
        with pc.open_csv(path, reading, parsing, first) as batches:
            deque(batches, maxlen=0)
    except pa.ArrowInvalid:
        return False
    return not wrong


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each row's fields, and the number of the line that it begins in."""
    line = 1
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        while (row := _next_row(reader, path, line)) is not None:
            yield line, row
            line = reader.line_num + 1


def _next_row(reader: Iterator[list[str]], path: Path, line: int) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        # Such as a field without end, after a quote that is never closed.
        found = f"Line {line}: {error}."
        raise InputError(f"{path} must be a CSV file in UTF-8. {found}") from None


def _not_utf8(path: Path, error: UnicodeDecodeError, line: int) -> str:
    before, after = error.object[: error.start], error.object[error.start :]
    number = line + before.count(b"\n")
    text = recognition.cp1252(
        (before.rpartition(b"\n")[2] + after.partition(b"\n")[0]).rstrip(b"\r")
    )
    found = f"{error.object[error.start : error.end]!r}: {error.reason}."
    if text:
        found = f"{text[:N_SHOWN]!r} in cp1252, the encoding of Western Windows: save it as UTF-8."
    return f"{path} must be a CSV file in UTF-8. Line {number} reads {found}"
