"""The mean logit of several models, each put on the true prior."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
import pandas as pd

from skinlesion.dataset import batches, stores, views
from skinlesion.features import tabular
from skinlesion.network import model, trained

__all__ = ["Piece", "n_passes", "score"]


@dataclass(frozen=True)
class Piece:
    """Lesions to score, and how."""

    lesions: pd.DataFrame  # isic_id, and the columns that the models read
    folds: tuple[int, ...]  # of the models
    batch_size: int
    strict: bool
    n_views: views.N = 1  # of each tile, over which logits are averaged


def score(
    models: Mapping[int, trained.Trained],
    store: stores.Store,
    piece: Piece,
    on_batch: Callable[[int], object],
) -> pd.DataFrame:
    """Score a piece. Each tile is decoded once for all models that take its size.

    Args:
        models: By fold.
        store: The tiles.
        piece: The lesions.
        on_batch: Called after each batch with its number of lesions.

    Returns:
        isic_id, logit (NaN where the tile cannot be read) and reason ("", or why it cannot), in
        the order of the piece.

    Raises:
        InputError: A feature is absent or holds a bad value; or a tile cannot be read and
            piece.strict holds.
    """
    chosen, lesions = [models[fold] for fold in piece.folds], piece.lesions
    total, reasons = np.zeros(len(lesions)), [""] * len(lesions)
    for px, members in _by_tile(chosen).items():
        given = batches.Lesions(
            lesions["isic_id"].to_numpy(),
            np.hstack([tabular.transform(lesions, m.encoder) for m in members]),
            store if px else None,
            px,
        )
        logits, found = model.apply(
            views.averaged(_sum_of(members), piece.n_views),
            given,
            batch_size=piece.batch_size,
            strict=piece.strict,
            on_batch=on_batch,
        )
        total += logits
        reasons = [a or b for a, b in zip(reasons, found, strict=True)]
    mean = total / len(chosen)
    return pd.DataFrame({"isic_id": lesions["isic_id"], "logit": mean, "reason": reasons})


def n_passes(models: Sequence[trained.Trained]) -> int:
    """Count how often `score` goes through the lesions: once per size of tile.

    Args:
        models: Those averaged.
    """
    return len(_by_tile(models))


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
