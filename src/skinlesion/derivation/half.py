"""The training and the test half of a challenge folder, as far as numbers are made of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from skinlesion.dataset import challenge, metadata, stores
from skinlesion.derivation import numbers, parquet, tiles
from skinlesion.derivation.plan import Params, Plan

__all__ = ["Half", "have_tiles", "read", "write"]


@dataclass(frozen=True)
class Half:
    """The lesions of one half, and where their tiles are."""

    table: pd.DataFrame  # isic_id and those columns that numbers may be made of
    images: Path


def read(files: challenge.Files, p: Params, *, lesions: Path) -> dict[str, Half]:
    """Read both halves.

    Args:
        files: Where they are.
        p: The block `derive`.
        lesions: isic_id of the training lesions that count, from stage `check`.

    Returns:
        Under "train" and "test". No label is among the columns.

    Raises:
        InputError: A table is absent or malformed.
    """
    kept = metadata.read(lesions, columns=["isic_id"])["isic_id"]
    train = _table(files.train_metadata, p)
    train = train[train["isic_id"].isin(kept)].reset_index(drop=True)
    test = _table(files.test_metadata, p)
    return {"train": Half(train, files.train_images), "test": Half(test, files.test_images)}


def have_tiles(halves: Mapping[str, Half], p: Params) -> bool:
    """Say whether both halves hold any tile; where none is to be measured, nobody looks.

    Args:
        halves: From `read`.
        p: The block `derive`.
    """
    return not p.tile or all(stores.open_store(h.images).ids() for h in halves.values())


def write(path: Path, half: Half, plan: Plan, p: Params) -> None:
    """Compute the numbers of a half, and write them.

    Args:
        path: The parquet file.
        half: From `read`.
        plan: From `plan.make`.
        p: The block `derive`.
    """
    measured = _measured(half, p, path.stem) if plan.tile else None
    found = numbers.compute(half.table, plan, p, tiles=measured)
    parquet.write(path, half.table, found, plan)


def _table(metadata_csv: Path, p: Params) -> pd.DataFrame:
    present = metadata.header(metadata_csv)
    wanted = [c for c in numbers.columns(p) if c in present or c == "isic_id"]
    return metadata.read(
        metadata_csv, columns=wanted, text=() if p.categorical == "all" else p.categorical
    )


def _measured(half: Half, p: Params, name: str) -> dict[str, np.ndarray]:
    isic_ids = half.table["isic_id"].tolist()
    with tqdm(total=len(isic_ids), desc=name, unit="tile", mininterval=1, maxinterval=30) as bar:
        return tiles.measure(isic_ids, stores.open_store(half.images), p.tile, progress=bar.update)
