"""Read the inputs of the report from the folders of earlier stages."""

import base64
import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from skinlesion.dataset import metadata
from skinlesion.errors import InputError
from skinlesion.evaluation.curves import CURVES
from skinlesion.reporting.datasets import Data, Shift
from skinlesion.reporting.details import Details
from skinlesion.reporting.formats import load
from skinlesion.reporting.models import Facts, Train

__all__ = [
    "Files",
    "Fold",
    "Inputs",
    "curves",
    "folds",
    "gallery",
    "importance",
    "md5",
    "read",
    "table_importance",
]

AREAS, PERMUTED = ("pauc", "auc"), ("across", "within")
DROPS = [f"{area}_{what}" for area in AREAS for what in ("drop", "low", "high")]
SHOWN = ["kind", "isic_id", "rank", "n_lesions", "tile", "occlusion", "largest_drop"]
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
    """A fold's model: the facts in its folder, and the log of its training."""

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
    folds: Mapping[int, Fold]
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
    details = load(files.details, Details)
    probabilities = files.calibrated / f"{details.primary}.csv"
    return Inputs(
        raw=raw,
        params=files.params.read_text(encoding="utf-8"),
        train=train,
        data=load(files.data, Data),
        details=details,
        shift=load(files.shift, Shift),
        curves=curves(files.plots, details.primary),
        importance=importance(files.explanations / "importance.csv"),
        table_importance=table_importance(files.explanations),
        gallery=gallery(files.explanations, probabilities),
        folds=folds(files.models, files.train_logs, expected),
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
        name: _filled(plots / f"{scored}_{name}.csv", columns) for name, columns in CURVES.items()
    }


def table_importance(explanations: Path) -> list[dict[str, Any]]:
    """Read what each number gives to the table expert; [] where there is none.

    Args:
        explanations: The folder that stage `explain` writes.

    Raises:
        InputError: As for `importance`, but table-importance.csv may have no rows.
    """
    path = explanations / "table-importance.csv"
    return importance(path) if len(metadata.read(path)) else []


def importance(path: Path) -> list[dict[str, Any]]:
    """Read what each input gives to the ranking.

    Args:
        path: importance.csv or table-importance.csv, of stage `explain`.

    Returns:
        One record per feature, that of the largest drop of pAUC across lesions first: feature,
        and under "across" and "within" the intervals of the drops of "pauc" and "auc".

    Raises:
        InputError: The file is absent or empty, lacks a column, or has a feature that was
            not permuted in both ways.
    """
    table = _filled(path, ["feature", "permuted", *DROPS])
    records: dict[str, dict[str, Any]] = {}
    for row in table.to_dict("records"):
        drops = {area: _interval(row, area) for area in AREAS}
        records.setdefault(row["feature"], {"feature": row["feature"]})[row["permuted"]] = drops
    for feature, record in records.items():
        if not record.keys() >= set(PERMUTED):
            raise InputError(f"{path} must have {feature!r} permuted {' and '.join(PERMUTED)}.")
    drop = {feature: r["across"]["pauc"]["value"] or 0.0 for feature, r in records.items()}
    return [records[feature] for feature in sorted(drop, key=lambda f: (-drop[f], f))]


def gallery(explanations: Path, probabilities_csv: Path) -> list[dict[str, Any]]:
    """Read the lesions that the ranking gets most wrong.

    Args:
        explanations: The folder that stage `explain` writes.
        probabilities_csv: isic_id and probability of the lesions that were ranked.

    Returns:
        One record per row of gallery.csv: kind, isic_id, rank, n_lesions, largest_drop,
        probability, and tile and occlusion as data URIs. Without an image branch occlusion is
        "" and largest_drop is None. Under "reasons", what speaks "for" and "against" a cancer
        by the table expert: numbers in words, with their contribution to the log odds.

    Raises:
        InputError: A table or a picture is absent, a table lacks a column, or a lesion has no
            probability.
    """
    shown = metadata.read(explanations / "gallery.csv", columns=SHOWN, text=["tile", "occlusion"])
    given = metadata.read(probabilities_csv, columns=["isic_id", "probability"])
    risk = dict(zip(given["isic_id"], given["probability"], strict=True))
    reasons = _reasons(explanations / "table-reasons.csv")
    records = []
    for row in shown.astype(object).where(shown.notna(), None).to_dict("records"):
        if row["isic_id"] not in risk:
            raise InputError(f"{probabilities_csv} must have {row['isic_id']}, of gallery.csv.")
        record = {str(key): value for key, value in row.items()}
        pictures = {k: _data_uri(explanations, record[k]) for k in ("tile", "occlusion")}
        records.append({**record, **pictures, "probability": risk[record["isic_id"]]})
        records[-1]["reasons"] = reasons.get(record["isic_id"], {})
    return records


def folds(models: Path, logs: Path, expected: Collection[int]) -> dict[int, Fold]:
    """Read the facts of each fold's model, and the log of its training.

    Args:
        models: Holds a folder fold-K per fold, with facts.json.
        logs: The same, as dvclive wrote it.
        expected: The folds that must be there, and no others.

    Raises:
        InputError: A fold is absent or unexpected, or a file of it is absent or malformed.
    """
    names = {fold: f"fold-{fold}" for fold in sorted(expected)}
    for path in sorted([*models.glob("fold-*"), *logs.glob("fold-*")]):
        if path.name not in names.values():
            # DVC hashes all that lies in the folder, and the report would not be of it.
            raise InputError(
                f"{path.parent} must hold the folds of split.train_folds = {list(names)} only. "
                f"Got {path}, of an earlier setting; DVC's cache keeps it: rm -r {path}"
            )
    return {
        fold: Fold(load(models / name / "facts.json", Facts), _logged(logs / name))
        for fold, name in names.items()
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


def _filled(path: Path, columns: list[str]) -> pd.DataFrame:
    table = metadata.read(path, columns=columns)
    if table.empty:
        raise InputError(f"{path} must have rows. It has none.")
    return table


def _interval(row: Mapping[Any, Any], area: str) -> dict[str, float | None]:
    values = [row[f"{area}_{what}"] for what in ("drop", "low", "high")]
    known = [None if pd.isna(value) else float(value) for value in values]
    return dict(zip(("value", "low", "high"), known, strict=True))


def _reasons(path: Path) -> dict[str, dict[str, list[Any]]]:
    """By isic_id and side."""
    found: dict[str, dict[str, list[Any]]] = {}
    columns = ["isic_id", "side", "number", "contribution"]
    for row in metadata.read(path, columns=columns).to_dict("records"):
        found.setdefault(row["isic_id"], {}).setdefault(row["side"], []).append(row)
    return found


def _data_uri(folder: Path, name: str | None) -> str:
    if not name:
        return ""
    try:
        encoded = base64.b64encode((folder / name).read_bytes())
    except OSError as error:
        raise InputError(f"{folder / name} must be a picture, of gallery.csv. {error}") from None
    return f"data:image/png;base64,{encoded.decode()}"


def _logged(folder: Path) -> pd.DataFrame:
    columns = {}
    for column, name in LOGGED.items():
        path = folder / "plots" / "metrics" / f"{name}.tsv"
        try:
            columns[column] = pd.read_csv(path, sep="\t").set_index("step")[path.stem]
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{path} must be a table of step and {path.stem}. {error}") from None
    return pd.DataFrame(columns)
