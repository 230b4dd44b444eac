"""The networks of a bundle: those of each fold on LiteRT, with the encoder of their table."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from pydantic import Field

from skinlesion.dataset import fold_seed, stores, views
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.errors import InputError
from skinlesion.features import tabular
from skinlesion.params import Block, load_json
from skinlesion.scoring import ensemble, litert, passes, spread

__all__ = ["ENCODER", "FACTS", "NETWORK", "Facts", "Networks", "load", "score", "varying"]

NETWORK, ENCODER, FACTS = "network.tflite", "encoder.json", "facts.json"
BATCH_SIZE = 128  # lesions that are read at a time

Networks = Mapping[FoldSeed, passes.Network]


class Facts(Block):
    """What scoring needs beside network and encoder."""

    fold: int
    seed: int = 0
    prior_shift: float  # subtracted from each logit, to put scores on the true prior
    image_px: int = Field(ge=0)  # 0: it reads no tile


def load(folder: Path) -> Networks:
    """Load the networks.

    Args:
        folder: Holds them, as `FoldSeed.path` says.

    Returns:
        By fold and seed, in their order.

    Raises:
        InputError: A file is absent or malformed.
    """
    return {one: _network(folder / one.path) for one in fold_seed.found(folder)}


def score(
    networks: Networks,
    lesions: pd.DataFrame,
    store: stores.Store,
    *,
    n_views: views.N,
    features_of: FoldSeed | None = None,
) -> pd.DataFrame:
    """Score lesions. Each tile is decoded once for all networks that take its size.

    Args:
        networks: From `load`.
        lesions: isic_id, and the columns that the encoders read.
        store: The tiles.
        n_views: Of each tile, over which outputs are averaged.
        features_of: The network whose image features are wanted, too.

    Returns:
        As `ensemble.score`.

    Raises:
        InputError: A column is absent, or holds a bad value.
    """
    size = max(1, min(BATCH_SIZE, len(lesions)))
    piece = passes.Piece(lesions, tuple(networks), size, False, n_views, features_of)
    return ensemble.score(networks, store, piece)


def varying(networks: Networks, n_views: int) -> list[str]:
    """List in which of `spread.COLUMNS` the logits of a lesion differ.

    Args:
        networks: From `load`.
        n_views: Of a tile.
    """
    n_folds = len({one.fold for one in networks})
    differ = (n_folds > 1, len(networks) > n_folds, n_views > 1)
    return [name for name, is_so in zip(spread.COLUMNS, differ, strict=True) if is_so]


def _network(folder: Path) -> passes.Network:
    path = folder / FACTS
    facts = load_json(path, Facts, "the facts of a network")
    path = folder / NETWORK
    try:
        network = litert.Network(path.read_bytes())
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} must be a network in the format of LiteRT. {error}") from None
    encoder = tabular.load(folder / ENCODER)
    return passes.Network(encoder, facts.image_px, facts.prior_shift, network.run)
