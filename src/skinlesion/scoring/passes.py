"""Run networks over lesions, batch by batch: logits by network and view, and image features.

Nothing here knows what a network runs on: Keras or LiteRT, in a stage or in a bundle.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TypeAlias

import numpy as np
import pandas as pd

from skinlesion.dataset import batches, stores, views
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.features import tabular
from skinlesion.shift import sketch

__all__ = ["Inputs", "Network", "Outputs", "Piece", "Run", "run"]

Inputs: TypeAlias = Mapping[str, np.ndarray]  # as `batches.scoring` yields them
# From inputs, which may be filled up and more than the network reads, and how many lesions they are
# of, to shape (n_lesions, 1 + n_pooled), float32: the logit, and the pooled features of the tile
# behind it, where it gives them.
Run: TypeAlias = Callable[[Inputs, int], np.ndarray]


@dataclass(frozen=True)
class Network:
    """A network that scores, and what it reads."""

    encoder: tabular.Encoder
    image_px: int  # width of its tiles; 0: it reads none
    prior_shift: float  # subtracted from each logit, to put scores on the true prior
    run: Run


@dataclass(frozen=True)
class Piece:
    """Lesions to score, and how."""

    lesions: pd.DataFrame  # isic_id, and the columns that the networks read
    networks: tuple[FoldSeed, ...]
    batch_size: int
    strict: bool  # a tile that cannot be read is an error
    n_views: views.N = 1  # of each tile, over which logits are averaged
    features_of: FoldSeed | None = None  # the network whose image features are wanted, too


@dataclass(frozen=True)
class Outputs:
    """What networks give of lesions."""

    logits: dict[FoldSeed, np.ndarray]  # shape (n_views, n_lesions), on the true prior; NaN: unread
    features: np.ndarray  # shape (n_lesions, k), float32, shortened; NaN if unread
    reasons: list[str]  # "", or why the tile cannot be read


def run(
    networks: Mapping[FoldSeed, Network],
    store: stores.Store,
    piece: Piece,
    on_batch: Callable[[int], object],
) -> Outputs:
    """Run networks that take tiles of one size. Each tile is decoded once for all of them.

    Args:
        networks: One at least.
        store: The tiles.
        piece: The lesions.
        on_batch: Called after each batch with its number of lesions.

    Raises:
        InputError: A feature is absent or holds a bad value; or a tile cannot be read and
            piece.strict holds.
    """
    px = next(iter(networks.values())).image_px
    tables = [tabular.transform(piece.lesions, m.encoder) for m in networks.values()]
    ids, images = piece.lesions["isic_id"].to_numpy(), store if px else None
    lesions = batches.Lesions(ids, np.hstack(tables), images, px)
    logits = [np.empty((len(networks), piece.n_views if px else 1, 0))]
    features, reasons = [], list[str]()
    for inputs, unread in batches.scoring(
        lesions, batch_size=piece.batch_size, strict=piece.strict
    ):
        z, pooled = _batch(networks, inputs, piece, len(unread))
        missing = np.array([reason != "" for reason in unread])
        logits.append(np.where(missing, np.nan, z))
        features.append(np.where(missing[:, None], np.float32("nan"), pooled))
        reasons += unread
        on_batch(len(unread))
    by_network = dict(zip(networks, np.concatenate(logits, axis=2), strict=True))
    empty = np.empty((len(ids), 0), np.float32)
    return Outputs(by_network, np.concatenate(features) if features else empty, reasons)


def _batch(
    networks: Mapping[FoldSeed, Network], inputs: Inputs, piece: Piece, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Logits, shape (n_networks, n_views, n), and features, shape (n, k), of n lesions."""
    by_view = [_each(networks, view, n) for view in _views(inputs, piece.n_views)]
    found = dict(zip(networks, zip(*by_view, strict=True), strict=True))
    logits = [
        [out[:, 0].astype(np.float64) - networks[one].prior_shift for out in outputs]
        for one, outputs in found.items()
    ]
    if piece.features_of not in found:
        return np.array(logits), np.empty((n, 0), np.float32)
    pooled = [out[:, 1:].astype(np.float64) for out in found[piece.features_of]]
    return np.array(logits), sketch.of(np.asarray(sum(pooled) / len(pooled)))


def _views(inputs: Inputs, n_views: views.N) -> Iterator[Inputs]:
    if "image" not in inputs:
        yield inputs
        return
    for view in views.of(inputs["image"], n_views):
        yield {**inputs, "image": view}


def _each(networks: Mapping[FoldSeed, Network], inputs: Inputs, n: int) -> list[np.ndarray]:
    """Run each network on what it reads, of tabular features that stand side by side."""
    edges = accumulate((len(m.encoder.names) for m in networks.values()), initial=0)
    return [
        m.run({k: v[:, start:end] if k == "tabular" else v for k, v in inputs.items()}, n)
        for m, (start, end) in zip(networks.values(), pairwise(edges), strict=True)
    ]
