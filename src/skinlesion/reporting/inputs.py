"""Read the inputs of the report from the folders of earlier stages."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from skinlesion.dataset import fold_seed
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.errors import InputError
from skinlesion.evaluation.curves import CURVES
from skinlesion.reporting import explanations, formats
from skinlesion.reporting.datasets import Data, Shift
from skinlesion.reporting.details import Details
from skinlesion.reporting.models import Facts, Train

__all__ = [
    "Files",
    "Fold",
    "Inputs",
    "curves",
    "folds",
    "md5",
    "read",
]

LOGGED = {"training": "train/loss", "validation": "validation/loss", "pauc": "validation/pauc"}


@dataclass(frozen=True)
class Files:
    """The files that earlier stages wrote."""

    params: Path
    data: Path
    details: Path
    shift: Path
    plots: Path
    calibrated: Path
    explanations: Path
    train_logs: Path
    models: Path


@dataclass(frozen=True)
class Fold:
    """A model of a fold: the facts in its folder, and the log of its training."""

    facts: Facts
    epochs: pd.DataFrame  # training and validation (losses) and pauc, one row per epoch


@dataclass(frozen=True)
class Inputs:
    """All that the report shows."""

    raw: str  # the challenge folder, `data.raw`
    params: str  # the text of params.yaml
    train: Train
    data: Data
    details: Details
    shift: Shift
    curves: Mapping[str, pd.DataFrame]
    importance: list[dict[str, Any]]  # of the network's inputs
    table_importance: list[dict[str, Any]]  # of the table expert's; [] without one
    gallery: list[dict[str, Any]]
    folds: Mapping[FoldSeed, Fold]
    md5: Mapping[str, str]  # by file


def read(files: Files, *, raw: str, expected: Collection[int], train: Train) -> Inputs:
    """Read all that the report shows.

    Args:
        files: Where it is.
        raw: The challenge folder, `data.raw`.
        expected: The folds that must be there, and no others.
        train: How they were trained.

    Raises:
        InputError: A file is absent or malformed, or a fold absent or unexpected.
    """
    details = formats.load(files.details, Details)
    probabilities = files.calibrated / f"{details.primary}.csv"
    return Inputs(
        raw=raw,
        params=files.params.read_text(encoding="utf-8"),
        train=train,
        data=formats.load(files.data, Data),
        details=details,
        shift=formats.load(files.shift, Shift),
        curves=curves(files.plots, details.primary),
        importance=explanations.importance(files.explanations / "importance.csv"),
        table_importance=explanations.table_importance(files.explanations),
        gallery=explanations.gallery(files.explanations, probabilities),
        folds=folds(files.models, files.train_logs, fold_seed.every(expected, train.n_seeds)),
        md5=md5(vars(files).values()),
    )


def curves(plots: Path, scored: str) -> dict[str, pd.DataFrame]:
    """Read the curves of a set of scores.

    Args:
        plots: The folder that stage `evaluate` writes.
        scored: The set, "holdout" or "oof".

    Returns:
        A table by curve, one row per point.

    Raises:
        InputError: A table is absent or empty, or lacks a column.
    """
    return {
        name: formats.table(plots / f"{scored}_{name}.csv", columns)
        for name, columns in CURVES.items()
        for name, columns in CURVES.items()
    }


def folds(models: Path, logs: Path, expected: Sequence[FoldSeed]) -> dict[FoldSeed, Fold]:
    """Read the facts of each fold's models, and the logs of their training.

    Args:
        models: Holds them, as `FoldSeed.path` says, with facts.json.
        logs: The same, as dvclive wrote it.
        expected: The models that must be there, and no others.

    Raises:
        InputError: A model is absent or unexpected, or a file of it is absent or malformed.
    """
    for folder in (models, logs):
        fold_seed.require(folder, expected)
    return {
        one: Fold(formats.load(models / one.path / "facts.json", Facts), _logged(logs / one.path))
        for one in expected
    }


def md5(paths: Iterable[Path]) -> dict[str, str]:
    """Hash files.

    Args:
        paths: Files, and folders of which all files are meant.

    Returns:
        The MD5 by file, in the order given; the files of a folder sorted.
    """
    files = [f for p in paths for f in (sorted(p.rglob("*")) if p.is_dir() else [p])]
    return {
        f.as_posix(): hashlib.md5(f.read_bytes(), usedforsecurity=False).hexdigest()
        for f in files
        if f.is_file()
    }


def _logged(folder: Path) -> pd.DataFrame:
    columns = {}
    for column, name in LOGGED.items():
        path = folder / "plots" / "metrics" / f"{name}.tsv"
        try:
            columns[column] = pd.read_csv(path, sep="\t").set_index("step")[path.stem]
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{path} must be a table of step and {path.stem}. {error}") from None
    return pd.DataFrame(columns)
