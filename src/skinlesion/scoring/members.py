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

NAMES = ("table", "table_alone", "colour")  # the scores that may be written
SPREAD = "table_sd_seeds"


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
        isic_id and those of NAMES that there are models of: scores on the true prior; and how far
        the logits of `table` spread, table_sd_folds over models of folds, and table_sd_seeds over
        seeds (the root mean square over folds), those of them that there are. One row per lesion
        that some model scores, fold by fold in the order of the table.

    Raises:
        InputError: The table lacks a number.
    """
    found: dict[str, pd.Series] = {}
    for by_fold in _runs(tables):
        parts = [_outputs(run, parquet, _scored_by(fold, folds)) for fold, run in by_fold.items()]
        for name in parts[0] if parts else []:
            of = pd.concat([part[name] for part in parts], axis=1, sort=False)
            found |= {k: pd.Series(v, of.index) for k, v in _over_folds(of, str(name)).items()}
    index = None if found else pd.Index([], dtype=object)
    return pd.DataFrame(found, index).rename_axis("isic_id").reset_index()


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


@dataclass(frozen=True)
class _Run:
    """Models of one fold: how their numbers are read, and what is made of them."""

    pieces: Callable[[Path], Iterator[matrix.Matrix]]
    outputs: Callable[[np.ndarray], dict[str, np.ndarray]]  # logits by name, and SPREAD


def _runs(tables: Tables) -> list[dict[int, _Run]]:
    """By kind of model and by fold."""

    def of_expert(e: expert.Expert) -> _Run:
        def outputs(values: np.ndarray) -> dict[str, np.ndarray]:
            found = e.logits(values)
            return {"table": found.context, "table_alone": found.alone, SPREAD: found.spread}

        return _Run(lambda path: matrix.pieces(path, e.columns, e.categories), outputs)

    def of_baseline(b: baseline.Baseline) -> _Run:
        return _Run(
            lambda path: matrix.pieces(path, baseline.COLUMNS, {}),
            lambda values: {"colour": b.logits(values)},
        )

    return [
        {fold: of_expert(e) for fold, e in tables.experts.items()},
        {fold: of_baseline(b) for fold, b in tables.baselines.items()},
    ]


def _over_folds(values: pd.DataFrame, name: str) -> dict[str, np.ndarray]:
    """Sum up what the models of each fold, a column each, say of lesions."""
    if name == SPREAD:
        squares = (values**2).mean(axis=1).to_numpy(np.float64)
        return {} if np.isnan(squares).all() else {name: np.sqrt(squares)}
    found = {name: scale.probability(values.mean(axis=1).to_numpy(np.float64))}
    if name == "table" and len(values.columns) > 1:
        found["table_sd_folds"] = values.std(axis=1, ddof=1).to_numpy(np.float64)
    return found


def _scored_by(fold: int, folds: pd.DataFrame | None) -> pd.Index | None:
    if folds is None:
        return None
    wanted: pd.Index = folds.set_index("isic_id").query("fold == @fold or fold < 0").index
    return wanted


def _outputs(run: _Run, parquet: Path, wanted: pd.Index | None) -> pd.DataFrame:
    parts = []
    for piece in run.pieces(parquet):
        chosen = slice(None) if wanted is None else np.isin(piece.isic_ids, wanted.to_numpy())
        parts.append(pd.DataFrame(run.outputs(piece.values[chosen]), piece.isic_ids[chosen]))
    found = pd.concat(parts)
    found.index.name = "isic_id"
    return found
