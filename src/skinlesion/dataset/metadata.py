"""The metadata tables of a challenge folder: their columns, and reading them."""

import csv
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from skinlesion.errors import InputError
from skinlesion.params import Block, nearest

__all__ = ["NUMERIC", "REQUIRED", "TEXT", "TRAIN_ONLY", "Params", "chunks", "header", "read"]

# Without these a training table cannot be used; all other columns may be absent.
REQUIRED = ("isic_id", "patient_id", "target")

N_AT_A_TIME = 50_000  # rows held while some columns of a table are read

# Columns of the training table that the test table lacks. They are known only after the
# biopsy, so none may become a feature: lesion_id alone gives the label away.
TRAIN_ONLY = (
    "target",
    "lesion_id",
    "iddx_full",
    "iddx_1",
    "iddx_2",
    "iddx_3",
    "iddx_4",
    "iddx_5",
    "mel_mitotic_index",
    "mel_thick_mm",
    "tbp_lv_dnn_lesion_confidence",
)

TEXT = (
    "isic_id",
    "patient_id",
    "sex",
    "anatom_site_general",
    "image_type",
    "tbp_tile_type",
    "tbp_lv_location",
    "tbp_lv_location_simple",
    "attribution",
    "copyright_license",
    "lesion_id",
    "iddx_full",
    "iddx_1",
    "iddx_2",
    "iddx_3",
    "iddx_4",
    "iddx_5",
    "mel_mitotic_index",
)

NUMERIC = (
    "age_approx",
    "clin_size_long_diam_mm",
    "tbp_lv_A",
    "tbp_lv_Aext",
    "tbp_lv_B",
    "tbp_lv_Bext",
    "tbp_lv_C",
    "tbp_lv_Cext",
    "tbp_lv_H",
    "tbp_lv_Hext",
    "tbp_lv_L",
    "tbp_lv_Lext",
    "tbp_lv_areaMM2",
    "tbp_lv_area_perim_ratio",
    "tbp_lv_color_std_mean",
    "tbp_lv_deltaA",
    "tbp_lv_deltaB",
    "tbp_lv_deltaL",
    "tbp_lv_deltaLB",
    "tbp_lv_deltaLBnorm",
    "tbp_lv_eccentricity",
    "tbp_lv_minorAxisMM",
    "tbp_lv_nevi_confidence",
    "tbp_lv_norm_border",
    "tbp_lv_norm_color",
    "tbp_lv_perimeterMM",
    "tbp_lv_radial_color_std_max",
    "tbp_lv_stdL",
    "tbp_lv_stdLExt",
    "tbp_lv_symm_2axis",
    "tbp_lv_symm_2axis_angle",
    "tbp_lv_x",
    "tbp_lv_y",
    "tbp_lv_z",
    "mel_thick_mm",
    "tbp_lv_dnn_lesion_confidence",
)


class Params(Block):
    """Block `data`: which challenge folder is used."""

    raw: str
    train_images: str
    test_images: str
    exclude: list[str]


def header(path: Path) -> list[str]:
    """Read the names of the columns of a metadata table.

    Args:
        path: A CSV file in UTF-8, with or without byte-order mark.

    Returns:
        The names, in the order of the file.

    Raises:
        InputError: The file is absent, empty or not text, or a column occurs twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            columns = next(csv.reader(file), [])
    except FileNotFoundError:
        raise InputError(f"{path} must be a metadata table. There is no such file.") from None
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        raise InputError(f"{path} must be a CSV file in UTF-8. {error}") from None
    if not columns:
        raise InputError(f"{path} must be a metadata table. It is empty.")
    twice = sorted({c for c in columns if columns.count(c) > 1})
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
        The lesions in the order of the file, columns in the order of the file.

    Raises:
        InputError: The file is absent, empty or malformed, or it lacks one of `columns`.
    """
    if columns is not None:
        pieces = chunks(path, columns=columns, text=text, n_lesions=N_AT_A_TIME)
        return pd.concat(pieces, ignore_index=True)
    options = _options(path, (), text)
    try:
        return _aligned(pd.read_csv(path, **options), path)
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise InputError(f"{path} must be a CSV file in UTF-8. {error}") from None


def chunks(
    path: Path, *, columns: Collection[str], text: Collection[str] = (), n_lesions: int
) -> Iterator[pd.DataFrame]:
    """Read a metadata table piece by piece, so that memory does not grow with its length.

    Args:
        path: A CSV file in UTF-8, with or without byte-order mark.
        columns: The columns to read.
        text: Further columns to read as text.
        n_lesions: Rows per piece; the last may be shorter.

    Yields:
        The pieces, in the order of the file.

    Raises:
        InputError: As for `read`.
    """
    options = _options(path, columns, text)
    try:
        with pd.read_csv(path, chunksize=n_lesions, **options) as pieces:
            for piece in pieces:
                yield _aligned(piece, path)[[c for c in piece if c in columns]]
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise InputError(f"{path} must be a CSV file in UTF-8. {error}") from None


def _aligned(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    # Where the rows are longer than the header, pandas takes their first values for an index,
    # and every value moves into its neighbour's column.
    if not isinstance(table.index, pd.RangeIndex):
        raise InputError(f"{path} must name every column. Got rows longer than the header.")
    return table


def _options(path: Path, columns: Collection[str], text: Collection[str]) -> dict[str, Any]:
    present = header(path)
    for name in columns:
        if name not in present:
            raise InputError(f"{path} must have a column {name!r}.{nearest(name, present)}")
    # All columns are read: with `usecols`, pandas would cut a row that is too long in silence.
    return {
        "encoding": "utf-8-sig",
        "low_memory": False,
        "dtype": {name: str for name in present if name in TEXT or name in text},
    }
