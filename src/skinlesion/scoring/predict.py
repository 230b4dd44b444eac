"""Score any number of lesions in bounded memory; average models; put scores on the true prior."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field
from scipy.special import expit
from tqdm import tqdm

from skinlesion.dataset import batches, metadata, partition, stores
from skinlesion.errors import InputError
from skinlesion.features import tabular
from skinlesion.network import model, trained
from skinlesion.params import Block

__all__ = [
    "Params",
    "Selection",
    "Source",
    "isic_ids",
    "median_for_unreadable",
    "probability",
    "score",
    "score_fold",
    "score_learnt_from",
    "summary",
    "write_test_set",
]

N_READ = 4096  # rows of a metadata table held at a time, about


class Params(Block):
    """Block `predict`: how lesions are scored."""

    batch_size: int = Field(ge=1)
    engine: Literal["auto", "keras", "litert"]
    strict: bool


@dataclass(frozen=True)
class Source:
    """Where lesions are: one row each in a table, one tile each in a store."""

    metadata: Path
    store: stores.Store


@dataclass(frozen=True)
class Selection:
    """Which lesions of a table are scored, and what the progress bar calls them."""

    name: str = "score"
    n_lesions: int | None = None  # for the progress bar
    isic_ids: pd.Index | None = None  # all where it is None


ALL = Selection()


def score(
    models: Sequence[trained.Trained], source: Source, p: Params, selection: Selection = ALL
) -> Iterator[pd.DataFrame]:
    """Score the lesions of a metadata table, a piece at a time.

    Each tile is decoded once, for all models.

    Args:
        models: Their logits are averaged, each put on the true prior before.
        source: The lesions.
        p: The block `predict`.
        selection: Which of them.

    Yields:
        isic_id, logit (NaN where the tile cannot be read) and reason ("", or why it cannot),
        in the order of the table. All pieces but the last are of whole batches.

    Raises:
        InputError: The table lacks a feature or holds a bad value; or a tile cannot be read
            and p.strict holds.
    """
    names, text = trained.columns(models)
    table = metadata.chunks(
        source.metadata, columns=["isic_id", *names], text=text, n_lesions=N_READ
    )
    whole = max(1, N_READ // p.batch_size) * p.batch_size
    groups = _by_tile(models)
    total = None if selection.n_lesions is None else selection.n_lesions * len(groups)
    with tqdm(total=total, desc=selection.name, unit="tile", mininterval=1, maxinterval=30) as bar:
        for lesions in _pieces(_selected(table, selection), whole):
            yield _score_piece(groups, lesions, source.store, p, bar)


def probability(logits: np.ndarray) -> np.ndarray:
    """Turn logits into scores.

    Args:
        logits: Any shape.

    Returns:
        In (0, 1), float64, in the same order. Ties come from ties only, save above a logit of
        30, where scores are too close to 1 to be told apart.
    """
    return np.asarray(expit(np.asarray(logits, np.float64)))


def median_for_unreadable(logits: np.ndarray) -> np.ndarray:
    """Give lesions without a readable tile the median of the others.

    Args:
        logits: Shape (n_lesions,), NaN for those without.

    Returns:
        The same, all finite.

    Raises:
        InputError: No tile could be read.
    """
    if np.isnan(logits).all():
        raise InputError("predict: at least one tile must be readable. Got none.")
    return np.where(np.isnan(logits), np.nanmedian(logits), logits)


def isic_ids(metadata_csv: Path) -> pd.Series:
    """List the lesions of a metadata table, before hours go into scoring them.

    Args:
        metadata_csv: One row per lesion.

    Returns:
        Their isic_id, in the order of the table.

    Raises:
        InputError: There is no lesion, or an isic_id is missing or occurs twice.
    """
    pieces = metadata.chunks(metadata_csv, columns=["isic_id"], n_lesions=N_READ)
    found = pd.concat([piece["isic_id"] for piece in pieces], ignore_index=True)
    _require_distinct(found, metadata_csv)
    return found


def write_test_set(
    pieces: Iterable[pd.DataFrame], isic_ids: pd.Series, out: Path
) -> dict[str, int]:
    """Write submission.csv (isic_id, target) and unreadable.csv (isic_id, reason).

    Args:
        pieces: From `score`, of the whole test metadata.
        isic_ids: Of the test metadata.
        out: The folder to write into.

    Returns:
        n_lesions, and n_unreadable: those without a readable tile, which get the median.

    Raises:
        InputError: No tile could be read.
    """
    logits, unreadable = [], []
    for piece in pieces:
        logits.append(piece["logit"].to_numpy())
        unreadable.append(piece.loc[piece["reason"] != "", ["isic_id", "reason"]])
    scores = probability(median_for_unreadable(np.concatenate(logits)))
    pd.DataFrame({"isic_id": isic_ids, "target": scores}).to_csv(
        out / "submission.csv", index=False
    )
    broken = pd.concat(unreadable)
    broken.to_csv(out / "unreadable.csv", index=False)
    return {"n_lesions": len(isic_ids), "n_unreadable": len(broken)}


def summary(counts: dict[str, int], *, n_models: int) -> str:
    """Say in a line what was scored.

    Args:
        counts: From `write_test_set`.
        n_models: Whose logits were averaged.
    """
    return (
        f"predict: {counts['n_lesions']:,} test lesions scored by {n_models} model(s), "
        f"{counts['n_unreadable']:,} of them without a readable tile"
    )


def score_fold(
    models: Sequence[trained.Trained], folds: pd.DataFrame, source: Source, p: Params, *, name: str
) -> pd.DataFrame:
    """Score lesions whose target is known, none of which their models have seen.

    Args:
        models: Averaged.
        folds: isic_id, patient_id, target and fold of the lesions to score.
        source: The training lesions; each tile must be readable.
        p: The block `predict`.
        name: Of the progress bar.

    Returns:
        The columns of `folds`, and score, in the order of the metadata.

    Raises:
        InputError: As for `score`; or a lesion of `folds` is not in the metadata.
    """
    known = folds.set_index("isic_id")
    strict = p.model_copy(update={"strict": True})
    pieces = score(models, source, strict, Selection(name, len(folds), known.index))
    scored = pd.concat([pd.DataFrame(columns=["isic_id", "logit"]), *pieces])
    if len(scored) != len(folds):
        raise InputError(
            f"{source.metadata} must hold the {len(folds):,} lesions of the split. "
            f"Got {len(scored):,} of them."
        )
    table = known.loc[scored["isic_id"]].reset_index()
    table["score"] = probability(scored["logit"].to_numpy(np.float64))
    return table


def score_learnt_from(
    models: Mapping[int, trained.Trained], folds: pd.DataFrame, source: Source, p: Params
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score the holdout, and each lesion outside it by the model that did not see it.

    Args:
        models: By fold; the holdout gets the mean of all.
        folds: isic_id, patient_id, target and fold, from stage `split`.
        source: The training lesions; each tile must be readable.
        p: The block `predict`.

    Returns:
        Two tables as from `score_fold`: the holdout, and the out-of-fold lesions.

    Raises:
        InputError: As for `score_fold`.
    """
    parts = dict(tuple(folds.groupby("fold")))
    none = folds[:0]
    held_out = parts.get(partition.HOLDOUT, none)
    holdout = score_fold(list(models.values()), held_out, source, p, name="holdout")
    of_folds = [
        score_fold([m], parts.get(fold, none), source, p, name=f"fold {fold}")
        for fold, m in models.items()
    ]
    return holdout, pd.concat(of_folds)


def _require_distinct(isic_ids: pd.Series, metadata_csv: Path) -> None:
    if not len(isic_ids):
        raise InputError(f"{metadata_csv} must hold lesions. It holds none.")
    if isic_ids.isna().any():
        row = int(isic_ids.isna().to_numpy().argmax()) + 2  # as a spreadsheet numbers it
        raise InputError(f"{metadata_csv} must name every lesion. Row {row} has no isic_id.")
    if not isic_ids.is_unique:
        twice = isic_ids[isic_ids.duplicated()].iloc[0]
        raise InputError(f"{metadata_csv} must name each isic_id once. Got {twice} again.")


def _selected(table: Iterable[pd.DataFrame], selection: Selection) -> Iterator[pd.DataFrame]:
    for part in table:
        ids = selection.isic_ids
        yield part if ids is None else part[part["isic_id"].isin(ids)]


def _pieces(parts: Iterable[pd.DataFrame], n: int) -> Iterator[pd.DataFrame]:
    """Cut a table that comes in parts into pieces of n rows; the last may be shorter."""
    held = pd.DataFrame()
    for part in parts:
        held = pd.concat([held, part]) if len(held) else part
        while len(held) >= n:
            yield held.iloc[:n]
            held = held.iloc[n:]
    if len(held):
        yield held


def _score_piece(
    groups: Mapping[int, Sequence[trained.Trained]],
    lesions: pd.DataFrame,
    store: stores.Store,
    p: Params,
    bar: tqdm,
) -> pd.DataFrame:
    total, reasons = np.zeros(len(lesions)), [""] * len(lesions)
    for px, members in groups.items():
        given = batches.Lesions(
            lesions["isic_id"].to_numpy(),
            np.hstack([tabular.transform(lesions, m.encoder) for m in members]),
            store if px else None,
            px,
        )
        logits, found = model.apply(
            _sum_of(members), given, batch_size=p.batch_size, strict=p.strict, on_batch=bar.update
        )
        total += logits
        reasons = [a or b for a, b in zip(reasons, found, strict=True)]
    mean = total / sum(map(len, groups.values()))
    return pd.DataFrame({"isic_id": lesions["isic_id"], "logit": mean, "reason": reasons})


def _by_tile(models: Sequence[trained.Trained]) -> dict[int, list[trained.Trained]]:
    """Group models by the size of the tiles that they take; 0 where they take none."""
    found: dict[int, list[trained.Trained]] = {}
    for m in models:
        p = m.architecture.model
        found.setdefault(0 if p.backbone == "none" else p.image_px, []).append(m)
    return found


def _sum_of(members: Sequence[trained.Trained]) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
    """Sum logits, each on the true prior, of models whose features stand side by side."""
    edges = accumulate((m.architecture.n_features for m in members), initial=0)
    columns = [slice(*of) for of in pairwise(edges)]

    def run(inputs: dict[str, np.ndarray]) -> np.ndarray:
        total = np.zeros(1)
        for m, own in zip(members, columns, strict=True):
            given = {k: v[:, own] if k == "tabular" else v for k, v in inputs.items()}
            logits = m.logits.predict_on_batch({k: given[k] for k in m.logits.input})
            total = total + np.asarray(logits, np.float64) - m.facts.prior_shift
        return total

    return run
