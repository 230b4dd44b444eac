"""The numbers and categories of lesions as one matrix, read from what stage `derive` wrote."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from skinlesion.boosting.columns import Categories, Columns, filled
from skinlesion.dataset.categories import shown
from skinlesion.errors import InputError

__all__ = ["Matrix", "pieces", "read", "vocabulary"]

N_AT_A_TIME = 50_000


@dataclass(frozen=True)
class Matrix:
    """Lesions, row by row."""

    isic_ids: np.ndarray  # shape (n_lesions,)
    values: np.ndarray  # shape (n_lesions, n_columns), float32; NaN where missing or unseen


def vocabulary(path: Path, columns: Columns, isic_ids: pd.Index) -> dict[str, list[str]]:
    """List the categories that occur among some lesions, sorted, each in one spelling.

    Args:
        path: train.parquet.
        columns: From `choose`.
        isic_ids: Training lesions of a fold, and no others.
    """
    table = _table(path, ["isic_id", *columns.categorical]).to_pandas()
    seen = table[table["isic_id"].isin(isic_ids)]
    return {name: sorted(shown(seen[name])) for name in columns.categorical}


def read(path: Path, columns: Columns, categories: Categories, isic_ids: pd.Index) -> Matrix:
    """Read lesions, in the order asked for.

    Args:
        path: A parquet file of stage `derive`.
        columns: From `choose`.
        categories: From `vocabulary`.
        isic_ids: Which lesions, each once.

    Raises:
        InputError: The file is absent, or lacks a column or a lesion.
    """
    values = np.empty((len(isic_ids), len(columns.names)), np.float32)
    filled = np.zeros(len(isic_ids), bool)
    for piece in pieces(path, columns, categories):
        rows = isic_ids.get_indexer(pd.Index(piece.isic_ids))
        values[rows[rows >= 0]] = piece.values[rows >= 0]
        filled[rows[rows >= 0]] = True
    pa.default_memory_pool().release_unused()  # Arrow keeps what it has read with
    if not filled.all():
        absent = isic_ids[~filled][0]
        raise InputError(f"{path} must hold the lesions of the split. {absent} is absent.")
    return Matrix(isic_ids.to_numpy(), values)


def pieces(path: Path, columns: Columns, categories: Categories) -> Iterator[Matrix]:
    """Read all lesions, some at a time, in the order of the file.

    Args:
        path: A parquet file of stage `derive`.
        columns: From `choose`.
        categories: From `vocabulary`.

    Raises:
        InputError: As for `read`.
    """
    names = ["isic_id", *columns.names]
    for batch in _opened(path, columns).iter_batches(N_AT_A_TIME, columns=names):
        given = {
            name: batch[name].to_pandas()
            if name in categories
            else batch[name].to_numpy(zero_copy_only=False)
            for name in columns.names
        }
        values = filled(given, columns, categories, n=len(batch))
        yield Matrix(batch["isic_id"].to_numpy(zero_copy_only=False), values)


def _opened(path: Path, columns: Columns) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path, pre_buffer=False)  # or it holds the file, too
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path} must be a table of stage derive. {error}") from None
    for name in columns.names:
        if name not in file.schema_arrow.names:
            raise InputError(f"{path} must have a column {name!r}: dvc repro derive boost")
    return file


def _table(path: Path, names: list[str]) -> pa.Table:
    try:
        return pq.read_table(path, columns=names)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path} must be a table of stage derive. {error}") from None
