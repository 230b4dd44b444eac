"""The mean logit of several models, each put on the true prior."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from skinlesion.dataset import stores
from skinlesion.network import trained
from skinlesion.scoring import image_features, passes
from skinlesion.scoring.passes import Piece

__all__ = ["Piece", "n_passes", "score", "spread"]


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
        In the order of the piece: isic_id; logit (NaN where the tile cannot be read), sd_folds
        and sd_views, as from `spread`; reason ("", or why the tile cannot be read); and, with
        piece.features_of, the image features of that model as `sketch.of` shortens them.

    Raises:
        InputError: A feature is absent or holds a bad value; or a tile cannot be read and
            piece.strict holds.
    """
    chosen = {fold: models[fold] for fold in piece.folds}
    found = [
        passes.run(members, px, store, piece, on_batch)
        for px, members in passes.by_tile(chosen).items()
    ]
    reasons = [next(filter(None, of), "") for of in zip(*(o.reasons for o in found), strict=True)]
    logits = spread([z for outputs in found for z in outputs.logits])
    scored = {"isic_id": piece.lesions["isic_id"].to_numpy(), **logits, "reason": reasons}
    for outputs in found:
        scored |= image_features.named(outputs.features)
    return pd.DataFrame(scored, index=piece.lesions.index)


def spread(logits: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Average the logits of models, and say how far they spread.

    Args:
        logits: Of each model, shape (n_views, n_lesions).

    Returns:
        Each of shape (n_lesions,): logit, the mean; sd_folds, the standard deviation over models
        of their means over views; sd_views, that over views, its root mean square over the models
        that have several. NaN where there is one.
    """
    means = [sum(z) / len(z) for z in logits]
    nothing = np.full(logits[0].shape[1], np.nan)
    squares = [z.var(0, ddof=1) for z in logits if len(z) > 1]
    return {
        "logit": np.asarray(sum(means) / len(means)),
        "sd_folds": np.std(means, axis=0, ddof=1) if len(means) > 1 else nothing,
        "sd_views": np.sqrt(np.mean(squares, axis=0)) if squares else nothing,
    }


def n_passes(models: Mapping[int, trained.Trained]) -> int:
    """Count how often `score` goes through the lesions: once per size of tile.

    Args:
        models: Those averaged, by fold.
    """
    return len(passes.by_tile(models))
