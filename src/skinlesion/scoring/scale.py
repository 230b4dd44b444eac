"""From logits to scores."""

import numpy as np
from scipy.special import expit

__all__ = ["probability"]


def probability(logits: np.ndarray) -> np.ndarray:
    """Turn logits into scores.

    Args:
        logits: Any shape.

    Returns:
        In (0, 1), float64, in the same order. Ties come from ties only, save above a logit of
        30, where scores are too close to 1 to be told apart.
    """
    return np.asarray(expit(np.asarray(logits, np.float64)))
