"""Logistic regression without penalty, many fits at a time."""

import numpy as np
from scipy.special import expit

__all__ = ["line", "logistic"]

MAX_STEPS, TOLERANCE, MAX_CONDITION = 50, 1e-9, 1e12


def line(z: np.ndarray, positive: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Fit log odds as a line over others; several lines at a time.

    Args:
        z: Shape (n_rows,).
        positive: Shape (n_rows, n_fits), how many of a row's lesions are positive; any share.
        n: The same shape, how many lesions each row stands for.

    Returns:
        Intercepts and slopes, shape (2, n_fits); NaN where no finite fit exists.
    """
    # In units of their own spread, since Newton's steps are bounded.
    middle, spread = z.mean(), z.std() or 1.0
    design = np.column_stack([np.ones(len(z)), (z - middle) / spread])
    level, rise = logistic(design, positive, n, offset=np.zeros(len(z)))
    return np.stack([level - rise * middle / spread, rise / spread])


def logistic(
    design: np.ndarray, positive: np.ndarray, n: np.ndarray, *, offset: np.ndarray
) -> np.ndarray:
    """Fit logistic regressions without penalty, by Newton's method; several at a time.

    Args:
        design: Shape (n_rows, n_columns), the same in each fit.
        positive: Shape (n_rows, n_fits), how many of a row's lesions are positive; any share.
        n: The same shape, how many lesions each row stands for.
        offset: Shape (n_rows,), added to the log odds.

    Returns:
        Shape (n_columns, n_fits); NaN where no finite fit exists: the classes do not overlap, or
        the columns are not independent.
    """
    k = design.shape[1]
    beta = np.zeros((k, positive.shape[1]))
    step = np.full_like(beta, np.inf)
    products = (design[:, :, None] * design[:, None, :]).reshape(-1, k * k)
    for _ in range(MAX_STEPS):
        mean = expit(design @ beta + offset[:, None])  # (n_rows, n_fits)
        hessian = (products.T @ (n * mean * (1 - mean))).T.reshape(-1, k, k)
        gradient = design.T @ (positive - n * mean)
        lost = ~np.isfinite(hessian).all((1, 2))
        hessian[lost] = 0  # as singular as can be
        hessian[np.linalg.cond(hessian) > MAX_CONDITION] = np.nan
        step = np.linalg.solve(hessian, gradient.T[:, :, None])[:, :, 0].T
        # Far from the solution a whole step may overshoot.
        beta = beta + step / np.maximum(1.0, np.abs(step).max(0))
        if not (np.abs(step) > TOLERANCE).any():
            break
    return np.where((np.abs(step) <= TOLERANCE).all(0), beta, np.nan)
