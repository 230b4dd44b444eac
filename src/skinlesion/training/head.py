"""Fit a linear head to the features of a frozen backbone, its strength chosen out of fold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from skinlesion import metrics
from skinlesion.dataset import batches
from skinlesion.training import pooled, schedule
from skinlesion.training.checkpoint import Best
from skinlesion.training.fold import Examples
from skinlesion.training.logger import Log

__all__ = ["Drawn", "Line", "choose", "drawn", "fit", "lines"]

MAX_STEPS, TOLERANCE = 1000, 1e-4


@dataclass(frozen=True)
class Drawn:
    """The distinct lesions that a fold's planned epochs hold."""

    rows: np.ndarray  # shape (n_drawn,), into the fold's lesions
    weight: np.ndarray  # shape (n_drawn,), in all epochs together; mean 1
    y_true: np.ndarray  # shape (n_drawn,)
    patients: np.ndarray  # shape (n_drawn,)


@dataclass(frozen=True)
class Line:
    """A linear function of features."""

    kernel: np.ndarray  # shape (n_features,), float64
    bias: float

    def logits(self, x: np.ndarray) -> np.ndarray:
        """Compute the logits of features, shape (n, n_features)."""
        return np.asarray(x @ self.kernel + self.bias)


def fit(
    network: keras.Model,
    examples: Examples,
    p: schedule.Params,
    *,
    log: Log,
    cache: pooled.Cache | None = None,
) -> Best:
    """Fit the last layer of a network; all others stay as they are.

    Args:
        network: From `model.build`, whose one dense layer is the last; changed in place.
        examples: The lesions of its planned epochs, each as heavy as all its draws together, are
            fitted to at once; so the shift of the prior is that of the draws.
        p: The block `train`.
        log: Called once, with epoch 0 and the values of `fitting.fit`.
        cache: Of pooled features.

    Returns:
        The one epoch.

    Raises:
        images.ImageError: A tile cannot be read.
    """
    given, lesions = drawn(examples), examples.epochs[0].lesions
    held = np.flatnonzero(np.isin(lesions.isic_ids, examples.validation.lesions.isic_ids))
    every = np.concatenate([given.rows, held])
    x = pooled.features(
        network,
        batches.select(lesions, every),
        n_views=p.head.n_views,
        batch_size=p.batch_size,
        cache=cache,
    )
    x_drawn, x_held = x[: len(given.rows)], x[len(given.rows) :]
    [found] = lines(x_drawn, given, [choose(x_drawn, given, p.head)])
    network.get_layer("logit").set_weights([found.kernel[:, None], np.array([found.bias])])
    values = _values(found.logits(x_drawn), given)
    values |= examples.validation.values(found.logits(x_held))
    log(0, values)
    return Best(0, values, network.get_weights())


def drawn(examples: Examples) -> Drawn:
    """Add up the draws of each lesion over the planned epochs.

    Args:
        examples: Of a fold.
    """
    epochs = examples.epochs
    rows = np.concatenate([epoch.rows for epoch in epochs])
    weight = np.bincount(rows, np.concatenate([epoch.weight for epoch in epochs]))
    y_true = np.zeros(len(weight))
    y_true[rows] = np.concatenate([epoch.y_true for epoch in epochs])
    distinct = np.unique(rows)
    heavy = weight[distinct] / weight[distinct].mean()
    return Drawn(distinct, heavy, y_true[distinct], examples.patients[distinct])


def choose(x: np.ndarray, given: Drawn, p: schedule.Head) -> float:
    """Choose the strength of the penalty by scores of patients that were not fitted to.

    Args:
        x: Shape (n_drawn, n_features).
        given: The lesions.
        p: The block `train.head`.

    Returns:
        Of p.strengths that of the highest AUC, averaged over p.n_repeats ways to divide the
        patients into p.n_folds; the stronger of equals. The AUC, as with few positives it told
        strengths apart more reliably than the pAUC or the loss: docs/results.md.
    """
    strengths = sorted(p.strengths, reverse=True)
    if len(strengths) == 1:
        return strengths[0]
    aucs = np.zeros(len(strengths))
    for repeat in range(p.n_repeats):
        fold = _folds(given, p.n_folds, np.random.default_rng([p.seed, repeat]))
        scores = np.zeros((len(strengths), len(x)))
        for held in _parts(fold, given.y_true):
            rest = Drawn(*(of[~held] for of in vars(given).values()))
            found = lines(x[~held], rest, strengths)
            scores[:, held] = [of.logits(x[held]) for of in found]
        aucs += [metrics.auc(given.y_true, of) for of in scores]
    return strengths[int(np.argmax(aucs))]


def lines(x: np.ndarray, given: Drawn, strengths: Sequence[float]) -> list[Line]:
    """Fit a logistic regression for each strength of its L2 penalty.

    Args:
        x: Shape (n_drawn, n_features). Each feature is standardised first, and the line put
            back on the features as they are.
        given: The lesions.
        strengths: From strong to weak, as each starts from the one before. The penalty is
            strength / 2 times the sum of squares of the standardised kernel, beside the weighted
            mean of the loss: so it does not depend on how many lesions there are.
    """
    mean, scale = x.mean(0, dtype=np.float64), x.std(0, dtype=np.float64)
    scale[scale == 0] = 1  # a feature that never varies gets no weight
    standard, found = (x - mean) / scale, []
    regression = LogisticRegression(max_iter=MAX_STEPS, tol=TOLERANCE, warm_start=True)
    # One thread: sums in one order, and no waiting for cores that others use.
    with threadpool_limits(1):
        for strength in strengths:
            regression.set_params(C=1 / (strength * given.weight.sum()))
            regression.fit(standard, given.y_true, given.weight)
            kernel = regression.coef_[0] / scale
            found.append(Line(kernel, float(regression.intercept_[0] - mean @ kernel)))
    return found


def _folds(given: Drawn, n_folds: int, rng: np.random.Generator) -> np.ndarray:
    """Number the lesions by part, all of a patient alike; those with a positive are dealt first."""
    patients, of = np.unique(given.patients, return_inverse=True)
    positive = np.bincount(of, given.y_true) > 0
    order = np.lexsort((rng.random(len(patients)), ~positive))
    part = np.empty(len(patients), int)
    part[order] = np.arange(len(patients)) % n_folds
    return part[of]


def _parts(fold: np.ndarray, y_true: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the mask of each part, where the rest has lesions of both kinds."""
    for number in np.unique(fold):
        held = fold == number
        if 0 < y_true[~held].mean() < 1:
            yield held


def _values(logits: np.ndarray, given: Drawn) -> dict[str, float]:
    losses = np.logaddexp(0, logits) - given.y_true * logits
    right = (logits > 0) == (given.y_true == 1)
    return {
        "train/loss": float(np.average(losses, weights=given.weight)),
        "train/accuracy": float(np.average(right, weights=given.weight)),
    }
