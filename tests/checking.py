"""A half of a challenge folder in memory, to be inspected."""

import io

import numpy as np
import pandas as pd
from PIL import Image

from skinlesion.dataset import images, metadata
from skinlesion.preparation import check


def encoded(width: int = 20, height: int = 20, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(noise).convert(mode).save(file, "jpeg")
    return file.getvalue()


TILE = encoded()


class Memory:
    """A store of tiles in memory."""

    def __init__(self, tiles: dict[str, bytes]) -> None:
        self.tiles = tiles

    def ids(self) -> list[str]:
        return sorted(self.tiles)

    def read(self, isic_id: str) -> bytes:
        if isic_id not in self.tiles:
            raise images.ImageError("it has no tile in memory.")
        return self.tiles[isic_id]


def table(n: int = 6, **changes) -> pd.DataFrame:
    """A right training table, with columns changed."""
    right = {
        "isic_id": [f"ISIC_{i:02d}" for i in range(n)],
        "patient_id": [f"IP_{i // 2}" for i in range(n)],
        "target": [int(i == 1) for i in range(n)],
        "age_approx": [40.0 + i for i in range(n)],
        "sex": ["male"] * n,
    }
    return pd.DataFrame(right | changes)


def as_read(lesions: pd.DataFrame, tmp_path) -> pd.DataFrame:
    """A table as it comes from a file."""
    lesions.to_csv(tmp_path / "table.csv", index=False)
    return metadata.read(tmp_path / "table.csv")


def inspect(
    lesions: pd.DataFrame,
    tiles: dict[str, bytes] | None = None,
    *,
    training: bool = True,
    findings: check.Findings | None = None,
    **options,
) -> tuple[check.Findings, check.Tiles]:
    """Inspect a table with a right tile for every row, unless other tiles are given."""
    findings = findings or check.Findings()
    if tiles is None:
        tiles = dict.fromkeys(lesions.get("isic_id", pd.Series(dtype=str)).dropna(), TILE)
    part = check.Part(lesions, "train.csv", Memory(tiles), "train.hdf5", training=training)
    look = check.Look(progress=lambda tiles, **_: tiles, **options)
    sizes = check.inspect(part, findings, look)
    return findings, sizes


def errors(*args, **options) -> dict[str, list[str]]:
    return dict(inspect(*args, **options)[0].errors)
