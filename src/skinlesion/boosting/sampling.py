"""Which training lesions one model of the table expert learns from, and how often."""

import numpy as np

__all__ = ["draw", "prior_shift"]


def draw(
    y_true: np.ndarray,
    *,
    positive_share: float,
    negatives_per_positive: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Repeat positives and leave out negatives.

    Args:
        y_true: Shape (n_lesions,), 1 or 0; both occur.
        positive_share: Positives are repeated until they are as many as this share of all
            lesions; never fewer than they are.
        negatives_per_positive: At most so many negatives are drawn for each of those, without
            replacement.
        rng: The source of chance.

    Returns:
        Rows of the lesions drawn, rising. Each positive occurs equally often, or once more.

    Source:
        The sampling of the ISIC 2024 challenge's winners: positives to 0.3 %, then negatives 1:100.
    """
    positives, negatives = np.flatnonzero(y_true == 1), np.flatnonzero(y_true != 1)
    n_wanted = max(len(positives), round(positive_share * len(y_true)))
    repeated = np.resize(rng.permutation(positives), n_wanted)
    n_negatives = min(len(negatives), round(negatives_per_positive * n_wanted))
    return np.sort(np.concatenate([repeated, rng.permutation(negatives)[:n_negatives]]))


def prior_shift(y_true: np.ndarray, rows: np.ndarray, *, weight_of_positives: float) -> float:
    """Say how far sampling moves a model's logit.

    Args:
        y_true: Shape (n_lesions,), 1 or 0.
        rows: From `draw`.
        weight_of_positives: In the loss, against 1 of the negatives.

    Returns:
        To be subtracted from a logit, to put it on the true prior.
    """
    drawn, n, n_drawn = y_true[rows].sum(), len(y_true), len(rows)
    odds = y_true.sum() / (n - y_true.sum())
    return float(np.log(weight_of_positives * drawn / (n_drawn - drawn)) - np.log(odds))
