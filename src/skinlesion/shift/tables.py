"""The columns that models read, of training lesions at once and of others piece by piece."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from skinlesion.dataset import metadata
from skinlesion.errors import InputError

__all__ = ["AT_A_TIME", "Names", "names", "pieces", "read"]

AT_A_TIME = 50_000  # lesions


@dataclass(frozen=True)
class Names:
    """The columns that models read."""

    numeric: tuple[str, ...]  # of the metadata
    categorical: tuple[str, ...]  # of the metadata
    tile: tuple[str, ...]  # numbers of the tile, from stage `derive`

    @property
    def metadata(self) -> list[str]:
        """Those of the metadata."""
        return [*self.numeric, *self.categorical]


def names(features: Path, numeric: Sequence[str], categorical: Sequence[str]) -> Names:
    """List the columns that the network or the table expert reads.

    Args:
        features: The folder that stage `derive` writes.
        numeric: Those of the network.
        categorical: Those of the network.

    Raises:
        InputError: plan.json is absent or malformed.
    """
    path = features / "plan.json"
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
        kinds = tuple(dict.fromkeys([*categorical, *plan["categorical"]]))
        base = dict.fromkeys([*numeric, *plan["base"]])
        return Names(tuple(c for c in base if c not in kinds), kinds, tuple(plan["tile"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} must be the plan of stage derive. {error!r}") from None


def read(metadata_csv: Path, numbers_parquet: Path, wanted: Names) -> pd.DataFrame:
    """Read all lesions of a table.

    Args:
        metadata_csv: One row per lesion.
        numbers_parquet: What stage `derive` made of it.
        wanted: The columns.

    Returns:
        isic_id, patient_id where there is one, and the columns that there are.
    """
    return pd.concat(pieces(metadata_csv, numbers_parquet, wanted), ignore_index=True)


def pieces(metadata_csv: Path, numbers_parquet: Path, wanted: Names) -> Iterator[pd.DataFrame]:
    """Read a table piece by piece.

    Args:
        metadata_csv: One row per lesion.
        numbers_parquet: What stage `derive` made of it.
        wanted: The columns.

    Yields:
        As `read`, in the order of the table.
    """
    present = set(metadata.header(metadata_csv))
    listed = [c for c in ("isic_id", "patient_id", *wanted.metadata) if c in present]
    numbers = _numbers(numbers_parquet, wanted.tile)
    text = [c for c in wanted.categorical if c in present]
    for piece in metadata.chunks(metadata_csv, columns=listed, text=text, n_lesions=AT_A_TIME):
        beside = numbers.reindex(piece["isic_id"]).reset_index(drop=True)
        yield pd.concat([piece.reset_index(drop=True), beside], axis=1)


def _numbers(path: Path, names: Sequence[str]) -> pd.DataFrame:
    try:
        # By this thread alone: Arrow's own may outlive the process's end, which is then a crash.
        file = pq.ParquetFile(path, pre_buffer=False)
        table = file.read(["isic_id", *names], use_threads=False)
        found: pd.DataFrame = table.to_pandas(use_threads=False).set_index("isic_id")
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} must be a table of stage derive. {error}") from None
    return found
