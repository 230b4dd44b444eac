"""Scores of the table expert, and of the colour baseline, beside those of the network."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from skinlesion.boosting import baseline, expert, matrix
from skinlesion.dataset import partition
from skinlesion.scoring import scale

__all__ = ["NAMES", "Files", "Tables", "load", "score", "write"]

NAMES = ("table", "table_alone", "colour")  # the columns that may be written


@dataclass(frozen=True)
class Files:
    """What the stages before have written."""

    experts: Path  # a folder fold-K per fold, from `boost`
    features: Path  # from `derive`


@dataclass(frozen=True)
class Tables:
    """What scores lesions by their numbers: per fold, each of them or neither."""

    experts: Mapping[int, expert.Expert]
    baselines: Mapping[int, baseline.Baseline]


def load(folder: Path, folds: list[int]) -> Tables:
    """Load what stage `boost` wrote.

    Args:
        folder: Holds a folder fold-K per fold.
        folds: The folds that must be there, and no others.

    Raises:
        InputError: A fold is absent or unexpected, or a file malformed.
    """
    experts = expert.load_folds(folder, expected=folds)
    baselines = {fold: baseline.load(folder / f"fold-{fold}") for fold in folds}
    return Tables(experts, {fold: b for fold, b in baselines.items() if b is not None})


def score(tables: Tables, parquet: Path, folds: pd.DataFrame | None = None) -> pd.DataFrame:
    """Score lesions, a piece at a time.

    Args:
        tables: From `load`.
        parquet: The numbers of the lesions, from stage `derive`.
        folds: isic_id and fold: the holdout gets the mean logit of all folds' models, another
            lesion that of the model that did not see it. None: all get the mean.

    Returns:
        isic_id and those of NAMES that there are models of: scores on the true prior. One row
        per lesion that some model scores, in the order of the table.

    Raises:
        InputError: The table lacks a number.
    """
    found = pd.DataFrame(index=pd.Index([], dtype=object, name="isic_id"))
    for name, models in _by_name(tables).items():
        logits = [
            _logits(run, pieces, _scored_by(fold, folds))
            for fold, (pieces, run) in ((k, m(parquet)) for k, m in models.items())
        ]
        if logits:
            mean = pd.concat(logits, axis=1, sort=False).mean(axis=1)
            found = found.reindex(mean.index) if found.empty else found
            found[name] = scale.probability(mean.to_numpy(np.float64))
    return found.reset_index()


def write(tables: Tables, features: Path, folds: pd.DataFrame, out: Path) -> None:
    """Score all lesions, and write table-test.csv, table-holdout.csv and table-oof.csv.

    Args:
        tables: From `load`.
        features: The folder that stage `derive` writes.
        folds: isic_id, target and fold, from stage `split`.
        out: The folder to write into.

    Raises:
        InputError: As for `score`.
    """
    score(tables, features / "test.parquet").to_csv(out / "table-test.csv", index=False)
    scored = score(tables, features / "train.parquet", folds)
    held = set(folds.loc[folds["fold"] == partition.HOLDOUT, "isic_id"])
    is_held = scored["isic_id"].isin(held)
    scored[is_held].to_csv(out / "table-holdout.csv", index=False)
    scored[~is_held].to_csv(out / "table-oof.csv", index=False)


Run = Callable[[np.ndarray], np.ndarray]
Opened = tuple[Iterator[matrix.Matrix], Run]


def _by_name(tables: Tables) -> dict[str, dict[int, Callable[[Path], Opened]]]:
    def of_expert(e: expert.Expert, mode: str) -> Callable[[Path], Opened]:
        return lambda path: (
            matrix.pieces(path, e.columns, e.categories),
            lambda values: getattr(e.logits(values), mode),
        )

    def of_baseline(b: baseline.Baseline) -> Callable[[Path], Opened]:
        return lambda path: (matrix.pieces(path, baseline.COLUMNS, {}), b.logits)

    return {
        "table": {k: of_expert(e, "context") for k, e in tables.experts.items()},
        "table_alone": {k: of_expert(e, "alone") for k, e in tables.experts.items()},
        "colour": {k: of_baseline(b) for k, b in tables.baselines.items()},
    }


def _scored_by(fold: int, folds: pd.DataFrame | None) -> pd.Index | None:
    if folds is None:
        return None
    wanted: pd.Index = folds.set_index("isic_id").query("fold == @fold or fold < 0").index
    return wanted


def _logits(run: Run, pieces: Iterator[matrix.Matrix], wanted: pd.Index | None) -> pd.Series:
    parts = []
    for piece in pieces:
        chosen = slice(None) if wanted is None else np.isin(piece.isic_ids, wanted.to_numpy())
        parts.append(pd.Series(run(piece.values[chosen]), piece.isic_ids[chosen]))
    found = pd.concat(parts)
    found.index.name = "isic_id"
    return found
