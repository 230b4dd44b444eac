"""Score the test set, with its image features."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.network import trained
from skinlesion.scoring import image_features, lesions, predict, spread, test_set

__all__ = ["score", "write"]


def score(
    models: Mapping[FoldSeed, trained.Trained], source: lesions.Source, p: predict.Params
) -> tuple[test_set.Scored, np.ndarray]:
    """Score a test set.

    Args:
        models: Image features are those of the first.
        source: The test lesions.
        p: The block `predict`.

    Returns:
        The test set with its scores; and its image features, shape (n_lesions, k), on disk.

    Raises:
        InputError: As for `test_set.isic_ids`, `predict.score` and `test_set.joined`.
    """
    ids = test_set.isic_ids(source.metadata)
    chosen = lesions.Selection("test", len(ids), features_of=min(models))
    kept = image_features.Kept(len(ids))
    scored = test_set.joined(kept.taken(predict.score(models, source, p, chosen)), ids)
    return scored, kept.features


def write(scored: test_set.Scored, features: np.ndarray, out: Path) -> None:
    """Write scores, what is unreadable, how far logits spread (network-test.csv), and features.

    Args:
        scored: From `score`.
        features: From `score`.
        out: The folder to write into.
    """
    test_set.write(scored, out)
    spread.write(scored.spread, out / "network-test.csv")
    np.save(out / "image-test.npy", features)
