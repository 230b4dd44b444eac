"""Write what was measured: the headline, the details and the curves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from skinlesion.evaluation import headline

__all__ = ["Files", "write"]


@dataclass(frozen=True)
class Files:
    """The files that stage `evaluate` writes."""

    evaluation: Path
    details: Path
    plots: Path


def write(
    files: Files, details: dict[str, Any], curves: Mapping[str, Mapping[str, pd.DataFrame]]
) -> None:
    """Write the files; equal arguments give equal bytes.

    Args:
        files: Where to. Their folders are made.
        details: From `measurement.evaluate`.
        curves: From the same: tables of points by set and by curve.
    """
    for path, found in (
        (files.evaluation, headline.figures(details)),
        (files.details, details),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n")
    files.plots.mkdir(parents=True, exist_ok=True)
    tables = {f"{name}_{curve}": t for name, of in curves.items() for curve, t in of.items()}
    for name, points in tables.items():
        points.to_csv(files.plots / f"{name}.csv", index=False, float_format="%.6g")
