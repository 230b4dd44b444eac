"""A bundle for tests of the service: it scores by the brightness of tiles, at once."""

import io
import threading
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pandas as pd
from PIL import Image
from tests.process import PATIENCE

from skinlesion.errors import InputError
from skinlesion.reporting import statements


class Brightness:
    """The darker a tile, the riskier; nothing else is read of it."""

    card: ClassVar = {
        "notice": statements.NOTICE,
        "name": "brightness",
        "look_budget": [{"n": 1, "sensitivity": 0.5, "low": 0.4}],
    }
    version = "1.2.3"
    checksum = "ab" * 32
    operating_points: ClassVar = [{"name": "high", "threshold": 0.5, "sensitivity": 0.9}]
    columns: ClassVar = [
        {"name": "age_approx", "kind": "number", "low": 0, "high": 120},
        {"name": "sex", "kind": "text", "unit": ""},
    ]

    def __init__(self) -> None:
        self.batches: list[pd.DataFrame] = []
        self.free = threading.Event()  # a test may hold the scoring thread
        self.free.set()

    def score(self, table: pd.DataFrame, tiles: Mapping[str, bytes]) -> pd.DataFrame:
        assert self.free.wait(PATIENCE)
        self.batches.append(table)
        if (table["sex"] == "refused").any():
            raise InputError("sex must be known. Got 'refused'.")
        if (table["sex"] == "defect").any():
            raise KeyError("John Smith, born 1970")
        read = [brightness(tiles.get(i)) for i in table["isic_id"]]
        p = np.array([1 - b for b, _ in read])
        p[np.isnan(p)] = np.nanmedian(p) if len(p) > np.isnan(p).sum() else 0.5
        found = table[["isic_id", "patient_id"]].assign(
            probability=p, logit=p, network=p, table=p, uncertainty=np.nan, shift=""
        )
        found["reason"] = [reason for _, reason in read]
        grouped = found.groupby("patient_id")["probability"]
        found["rank"] = grouped.rank(ascending=False, method="first")
        found["n_lesions"] = grouped.transform("size")
        return found

    def explained(self, table: pd.DataFrame, tiles: Mapping[str, bytes], *, n: int) -> tuple:
        scores = self.score(table, tiles)
        reasons = [
            [{"feature": "age_approx", "label": "age", "value": age, "contribution": 0.1}]
            if rank <= n
            else []
            for age, rank in zip(table["age_approx"], scores["rank"], strict=True)
        ]
        return scores, reasons

    def occlusion(self, row: Mapping[str, object], tile: bytes) -> np.ndarray:
        return np.full((3, 4), 1 - brightness(tile)[0])


def brightness(tile: bytes | None) -> tuple[float, str]:
    """In [0, 1], or NaN and why it cannot be read."""
    if tile is None:
        return np.nan, "it has no tile"
    try:
        return float(np.asarray(Image.open(io.BytesIO(tile)).convert("L")).mean() / 255), ""
    except OSError:
        return np.nan, "it cannot be decoded"


def tile(grey: int = 51, size: tuple[int, int] = (8, 8)) -> bytes:
    """A PNG of one brightness."""
    file = io.BytesIO()
    Image.new("L", size, grey).save(file, "png")
    return file.getvalue()
