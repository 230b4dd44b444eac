"""Run models over lesions, batch by batch: logits by model and view, and image features."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
import pandas as pd

from skinlesion.dataset import batches, stores, views
from skinlesion.features import tabular
from skinlesion.network import trained
from skinlesion.shift import sketch

__all__ = ["Outputs", "Piece", "by_tile", "run"]

Members = Mapping[int, trained.Trained]  # by fold


@dataclass(frozen=True)
class Piece:
    """Lesions to score, and how."""

    lesions: pd.DataFrame  # isic_id, and the columns that the models read
    folds: tuple[int, ...]  # of the models
    batch_size: int
    strict: bool
    n_views: views.N = 1  # of each tile, over which logits are averaged
    features_of: int | None = None  # the fold whose model's image features are wanted, too


@dataclass(frozen=True)
class Outputs:
    """What models give of lesions."""

    logits: np.ndarray  # shape (n_models, n_views, n_lesions), on the true prior; NaN if unread
    features: np.ndarray  # shape (n_lesions, k), float32, shortened; NaN if unread
    reasons: list[str]  # "", or why the tile cannot be read


def by_tile(models: Members) -> dict[int, Members]:
    """Group models by the size of the tiles that they take; 0 where they take none.

    Args:
        models: By fold.
    """
    found: dict[int, dict[int, trained.Trained]] = {}
    for fold, m in models.items():
        p = m.architecture.model
        found.setdefault(0 if p.backbone == "none" else p.image_px, {})[fold] = m
    return dict(found)


def run(
    models: Members,
    px: int,
    store: stores.Store,
    piece: Piece,
    on_batch: Callable[[int], object],
) -> Outputs:
    """Run models that take tiles of one size. Each tile is decoded once for all of them.

    Args:
        models: By fold.
        px: Width of the tiles; 0: they take none.
        store: The tiles.
        piece: The lesions.
        on_batch: Called after each batch with its number of lesions.

    Raises:
        InputError: A feature is absent or holds a bad value; or a tile cannot be read and
            piece.strict holds.
    """
    tables = [tabular.transform(piece.lesions, m.encoder) for m in models.values()]
    ids, images = piece.lesions["isic_id"].to_numpy(), store if px else None
    lesions = batches.Lesions(ids, np.hstack(tables), images, px)
    logits = [np.empty((len(models), piece.n_views if px else 1, 0))]
    features, reasons = [], list[str]()
    for inputs, unread in batches.scoring(
        lesions, batch_size=piece.batch_size, strict=piece.strict
    ):
        z, pooled = _batch(models, inputs, piece, len(unread))
        missing = np.array([reason != "" for reason in unread])
        logits.append(np.where(missing, np.nan, z))
        features.append(np.where(missing[:, None], np.float32("nan"), pooled))
        reasons += unread
        on_batch(len(unread))
    empty = np.empty((len(ids), 0), np.float32)
    found = np.concatenate(features) if features else empty
    return Outputs(np.concatenate(logits, axis=2), found, reasons)


def _batch(
    models: Members, inputs: dict[str, np.ndarray], piece: Piece, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Logits, shape (n_models, n_views, n), and features, shape (n, k), of the first n lesions."""
    logits: list[list[np.ndarray]] = [[] for _ in models]
    features = []
    for view in _views(inputs, piece.n_views):
        for found, (fold, m), given in zip(logits, models.items(), _own(models, view), strict=True):
            out = np.asarray(m.logits.predict_on_batch(given))[:n]
            found.append(out[:, 0].astype(np.float64) - m.facts.prior_shift)
            if fold == piece.features_of:
                features.append(out[:, 1:])
    if not features:
        return np.array(logits), np.empty((n, 0), np.float32)
    mean = sum(view.astype(np.float64) for view in features) / len(features)
    return np.array(logits), sketch.of(np.asarray(mean))


def _views(inputs: dict[str, np.ndarray], n_views: views.N) -> Iterator[dict[str, np.ndarray]]:
    if "image" not in inputs:
        yield inputs
        return
    for view in views.of(inputs["image"], n_views):
        yield inputs | {"image": view}


def _own(models: Members, inputs: dict[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
    """Give each model what it reads, of tabular features that stand side by side."""
    edges = accumulate((m.architecture.n_features for m in models.values()), initial=0)
    for m, (start, end) in zip(models.values(), pairwise(edges), strict=True):
        given = {k: v[:, start:end] if k == "tabular" else v for k, v in inputs.items()}
        yield {k: given[k] for k in m.logits.input}
