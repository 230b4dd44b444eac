"""Score lesions by several networks: the mean logit, its spread, and image features."""

from collections.abc import Callable, Mapping

import pandas as pd

from skinlesion.dataset import stores
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.scoring import image_features, passes, spread
from skinlesion.scoring.passes import Network, Piece

__all__ = ["Piece", "score"]


def score(
    networks: Mapping[FoldSeed, Network],
    store: stores.Store,
    piece: Piece,
    on_batch: Callable[[int], object] = lambda n_lesions: None,
) -> pd.DataFrame:
    """Score a piece. Each tile is decoded once for all networks that take its size.

    Args:
        networks: Those of the piece, maybe beside others.
        store: The tiles.
        piece: The lesions.
        on_batch: Called after each batch with its number of lesions.

    Returns:
        In the order of the piece: isic_id; logit (NaN where the tile cannot be read), and the
        spreads, as from `spread.of`; reason ("", or why the tile cannot be read); and, with
        piece.features_of, the image features of that network as `sketch.of` shortens them.

    Raises:
        InputError: A feature is absent or holds a bad value; or a tile cannot be read and
            piece.strict holds.
    """
    chosen = {one: networks[one] for one in piece.networks}
    found = []
    for px in sorted({m.image_px for m in chosen.values()}):
        alike = {one: m for one, m in chosen.items() if m.image_px == px}
        found.append(passes.run(alike, store, piece, on_batch))
    reasons = [next(filter(None, of), "") for of in zip(*(o.reasons for o in found), strict=True)]
    logits = spread.of({one: z for outputs in found for one, z in outputs.logits.items()})
    scored = {"isic_id": piece.lesions["isic_id"].to_numpy(), **logits, "reason": reasons}
    for outputs in found:
        scored |= image_features.named(outputs.features)
    return pd.DataFrame(scored, index=piece.lesions.index)
