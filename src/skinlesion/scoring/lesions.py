"""The lesions that are scored: rows of a table, read and cut piece by piece."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from skinlesion.dataset import metadata
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.scoring import executor

__all__ = ["ALL", "Selection", "Source", "pieces"]


@dataclass(frozen=True)
class Source:
    """Where lesions are: one row each in a table; their tiles are an executor's to read."""

    metadata: Path
    run: executor.Executor


@dataclass(frozen=True)
class Selection:
    """Which lesions of a table are scored, and what the progress bar calls them."""

    name: str = "score"
    n_lesions: int | None = None  # for the progress bar
    isic_ids: pd.Index | None = None  # all where it is None
    features_of: FoldSeed | None = None  # the model whose image features are wanted, too


ALL = Selection()


def pieces(
    table: Path, columns: Collection[str], text: Collection[str], selection: Selection, n: int
) -> Iterator[pd.DataFrame]:
    """Read the selected lesions of a table, n at a time.

    Args:
        table: Its path.
        columns: Those to read, beside isic_id.
        text: Further columns to read as text.
        selection: Which lesions.
        n: Lesions per piece; the last piece may have fewer.

    Yields:
        isic_id and the columns, in the order of the table.

    Raises:
        InputError: As for `metadata.chunks`.
    """
    parts = metadata.chunks(
        table, columns=["isic_id", *columns], text=text, n_lesions=executor.MAX_PIECE
    )
    yield from _cut(_selected(parts, selection), n)


def _selected(parts: Iterable[pd.DataFrame], selection: Selection) -> Iterator[pd.DataFrame]:
    if selection.isic_ids is None:
        yield from parts
        return
    # An index is hashed once; `isin` would hash all of it for each part.
    wanted = selection.isic_ids.unique()
    for part in parts:
        yield part[wanted.get_indexer(pd.Index(part["isic_id"])) >= 0]


def _cut(parts: Iterable[pd.DataFrame], n: int) -> Iterator[pd.DataFrame]:
    """Cut a table that comes in parts into pieces of n rows."""
    held = pd.DataFrame()
    for part in parts:
        held = pd.concat([held, part]) if len(held) else part
        while len(held) >= n:
            yield held.iloc[:n]
            held = held.iloc[n:]
    if len(held):
        yield held
