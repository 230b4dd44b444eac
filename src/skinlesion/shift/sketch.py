"""Pooled image features of a network, shortened to a few numbers that keep most of distances."""

import hashlib
from functools import cache

import numpy as np

__all__ = ["WIDTH", "of"]

WIDTH = 64


def of(features: np.ndarray) -> np.ndarray:
    """Shorten features: each is added to one of WIDTH sums, or subtracted from it.

    Which and how follows from its place by a hash, so nothing is fitted and nothing need be kept.
    Distances between lesions stay as they are on average. Before, each lesion's features are
    divided by their length: of a network that reacts to some lesions a hundred times as strongly
    as to others, length alone would decide what is far.

    Args:
        features: Shape (n_lesions, n_features), float; NaN where there are none.

    Returns:
        Shape (n_lesions, WIDTH), float32; of fewer features, those alone.

    Source:
        Weinberger et al. (2009), Feature Hashing, https://arxiv.org/abs/0902.2206; length: Mueller
        and Hein (2025), Mahalanobis++, https://arxiv.org/abs/2505.18032
    """
    n_features = features.shape[1]
    features = features.astype(np.float64)
    length = np.sqrt(np.einsum("nf,nf->n", features, features))[:, None]
    features = features / np.where(length > 0, length, 1.0)
    if n_features <= WIDTH:
        return features.astype(np.float32)
    place, sign = _hashed(n_features)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(WIDTH))
    signed = (features * sign)[:, order]
    filled = np.flatnonzero(np.bincount(place, minlength=WIDTH))
    found = np.zeros((len(features), WIDTH))
    found[:, filled] = np.add.reduceat(signed, starts[filled], axis=1)
    return found.astype(np.float32)


@cache
def _hashed(n_features: int) -> tuple[np.ndarray, np.ndarray]:
    digests = [hashlib.sha256(str(i).encode()).digest() for i in range(n_features)]
    place = np.array([digest[0] % WIDTH for digest in digests])
    sign = np.array([1.0 if digest[1] % 2 else -1.0 for digest in digests])
    return place, sign
