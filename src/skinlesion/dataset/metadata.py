"""The metadata tables of a challenge folder: their columns, and reading them."""

import csv
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import AfterValidator, Field

from skinlesion.dataset import recognition, rows
from skinlesion.dataset.columns import NUMERIC, REQUIRED, TEXT, TRAIN_ONLY
from skinlesion.errors import InputError
from skinlesion.params import Block, nearest

__all__ = ["NUMERIC", "REQUIRED", "TEXT", "TRAIN_ONLY", "Params", "chunks", "header", "read"]

N_AT_A_TIME = 50_000  # rows held while some columns of a table are read
SHELL = '"$`\\'  # what a shell does not take as it is, within double quotes
IDS = ("isic_id", "patient_id")


def _plain(name: str) -> str:
    if set(name) & set(SHELL) or not name.isprintable():
        raise ValueError(f"a name without {' '.join(SHELL)} and line ends: a shell reads them")
    return name


Name = Annotated[str, Field(min_length=1), AfterValidator(_plain)]


class Params(Block):
    """Block `data`: which challenge folder is used. dvc.yaml puts its names into commands."""

    raw: Name
    train_images: Name
    test_images: Name
    exclude: list[str]
    min_side_px: int = Field(ge=1)


def header(path: Path) -> list[str]:
    """Read the names of the columns of a metadata table.

    Args:
        path: A CSV file in UTF-8, with or without byte-order mark.

    Returns:
        The names, in the order of the file.

    Raises:
        InputError: The file is absent, empty or not text, its columns are not separated by
            commas, or a column occurs twice.
    """
    columns = _first_row(path)
    if not columns:
        raise InputError(f"{path} must be a metadata table. It is empty.")
    if mark := recognition.separator(",".join(columns)):
        raise InputError(
            f"{path} must have columns separated by commas. They seem to be separated by {mark}."
        )
    twice = sorted(c for c, n in Counter(columns).items() if n > 1)
    if twice:
        raise InputError(f"{path} must name each column once. Got {twice} more than once.")
    return columns


def read(
    path: Path, *, columns: Collection[str] | None = None, text: Collection[str] = ()
) -> pd.DataFrame:
    """Read a metadata table, one row per lesion.

    Args:
        path: A CSV file in UTF-8, with or without byte-order mark.
        columns: The columns to read; all when None. Their order does not matter.
        text: Further columns to read as text, beside those that always are.

    Returns:
        The lesions in the order of the file, columns in the order of the file. Spaces around
        isic_id and patient_id are removed: the same id is the same text.

    Raises:
        InputError: The file is absent, empty or malformed, a row has more or fewer fields than
            the header, or it lacks one of `columns`.
    """
    if columns is not None:
        pieces = chunks(path, columns=columns, text=text, n_lesions=N_AT_A_TIME)
        return pd.concat(pieces, ignore_index=True)
    options = _options(path, (), text)
    with _named(path):
        return _stripped(pd.read_csv(path, **options))


def chunks(
    path: Path, *, columns: Collection[str], text: Collection[str] = (), n_lesions: int
) -> Iterator[pd.DataFrame]:
    """Read a metadata table piece by piece, so that memory does not grow with its length.

    The whole file is looked through before the first piece: a table that was cut off is refused
    before anything is spent on its first lesions.

    Args:
        path: A CSV file in UTF-8, with or without byte-order mark.
        columns: The columns to read.
        text: Further columns to read as text.
        n_lesions: Rows per piece; the last may be shorter.

    Yields:
        The pieces, in the order of the file, as from `read`.

    Raises:
        InputError: As for `read`.
    """
    options = _options(path, columns, text)
    with _named(path), pd.read_csv(path, chunksize=n_lesions, **options) as pieces:
        for piece in pieces:
            yield _stripped(piece[[c for c in piece if c in columns]])


def _first_row(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            head = file.read(recognition.N_HEAD)
        if head and (found := recognition.of(head, expected=recognition.TEXT)):
            raise InputError(f"{path} must be a CSV file in UTF-8. {found}")
        with path.open(encoding="utf-8-sig", newline="") as file:
            return next((row for row in csv.reader(file) if "".join(row).strip()), [])
    except UnicodeDecodeError:
        rows.require_text(path)
        raise
    except FileNotFoundError:
        raise InputError(f"{path} must be a metadata table. There is no such file.") from None
    except (csv.Error, OSError) as error:
        raise InputError(f"{path} must be a CSV file in UTF-8. {error}") from None


def _options(path: Path, columns: Collection[str], text: Collection[str]) -> dict[str, Any]:
    present = header(path)
    for name in columns:
        if name not in present:
            raise InputError(f"{path} must have a column {name!r}.{nearest(name, present)}")
    rows.require_text(path)
    rows.require_whole(path, len(present))
    _require_same(path, present)
    return {
        "encoding": "utf-8-sig",
        "low_memory": False,
        "dtype": {name: str for name in present if name in TEXT or name in text},
    }


def _require_same(path: Path, present: list[str]) -> None:
    """Require pandas to find the names where `header` did; it numbers those that are empty."""
    with _named(path):
        found = pd.read_csv(path, encoding="utf-8-sig", nrows=0).columns.tolist()
    if [n or f for n, f in zip(present, found, strict=False)] != found:
        raise InputError(f"{path} must begin with the names of its columns. Got {found} first.")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name the file in what pandas finds wrong with it."""
    try:
        yield
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path} must be a CSV file in UTF-8. {error}") from None


def _stripped(table: pd.DataFrame) -> pd.DataFrame:
    ids = {name: table[name].str.strip() for name in IDS if name in table}
    return table.assign(**{name: column.mask(column == "") for name, column in ids.items()})
