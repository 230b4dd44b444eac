"""Auxiliary targets in training: further outputs beside the logit, which are then left behind.

What a diagnosis was, whether a lesion was biopsied, and what a camera measured teach the image
branch what to see. They are targets only: the trained network has neither their outputs nor them
as inputs.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from pydantic import Field

from skinlesion.errors import InputError
from skinlesion.params import Block

__all__ = ["NONE", "Loss", "Weights", "beside", "loss", "read"]


class Weights(Block):
    """Block `train.auxiliary`: the weight of each group's loss beside that of the target."""

    diagnosis: float = Field(ge=0)
    biopsied: float = Field(ge=0)
    measurements: float = Field(ge=0)

    @property
    def groups(self) -> dict[str, float]:
        """The weights above 0."""
        return {name: weight for name, weight in self if weight > 0}


NONE = Weights(diagnosis=0, biopsied=0, measurements=0)


def read(path: Path, weights: Weights) -> tuple[tuple[str, ...], np.ndarray]:
    """Read the targets of the groups that have a weight.

    Args:
        path: auxiliary.parquet, from stage `encode`.
        weights: Of the groups.

    Returns:
        The names of the targets, and their values, shape (n_lesions, n), float32, NaN where one is
        not known. Nothing is read where no group has a weight.

    Raises:
        InputError: The table has no column of such a group.
    """
    if not weights.groups:
        return (), np.empty((0, 0), np.float32)
    table = pd.read_parquet(path)
    names = tuple(name for name in map(str, table) if _group(name) in weights.groups)
    for group in weights.groups:
        if group not in map(_group, names):
            raise InputError(
                f"params.yaml: train.auxiliary.{group} must be 0 where the training table has no "
                f"columns for it. Got {weights.groups[group]:g}."
            )
    return names, table[list(names)].to_numpy(np.float32)


def beside(logits: keras.Model, n: int) -> keras.Model:
    """Put auxiliary outputs beside the logit. The two networks share their weights.

    Args:
        logits: From `model.logits_of`, of a network with an image branch.
        n: Auxiliary targets; with 0 the network stays as it is.

    Returns:
        From the same inputs to shape (n_lesions, 1 + n), the logit first. The others are linear in
        the pooled features of the tile alone.
    """
    if not n:
        return logits
    seen = logits.get_layer("image_dropout").output
    others = keras.layers.Dense(n, dtype="float32", name="auxiliary")(seen)
    both = keras.layers.Concatenate(dtype="float32", name="targets")([logits.output, others])
    return keras.Model(logits.input, both, name="logits")


def loss(names: Sequence[str], weights: Weights, *, label_smoothing: float) -> keras.losses.Loss:
    """Make the loss of a training.

    Args:
        names: Of the auxiliary targets, from `read`.
        weights: Of their groups.
        label_smoothing: Of the target.

    Returns:
        Keras' binary cross-entropy where there are no auxiliary targets, and `Loss` otherwise.
    """
    if not names:
        return keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=label_smoothing)
    return Loss(names, weights, label_smoothing)


class Loss(keras.losses.Loss):
    """The loss of the target, plus the weighted ones of the auxiliary targets.

    The diagnosis has a categorical cross-entropy, "biopsied" a binary one, and the measurements
    half the mean squared error of those that are known. What is not known of a lesion, a NaN, adds
    nothing.
    """

    def __init__(self, names: Sequence[str], weights: Weights, label_smoothing: float) -> None:
        super().__init__(name="target_and_auxiliary")
        self.smoothing = label_smoothing
        self.parts = [
            (weight, _LOSSES[group], [1 + i for i, n in enumerate(names) if _group(n) == group])
            for group, weight in weights.groups.items()
        ]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Compute the loss of each lesion.

        Args:
            y_true: Shape (n, n_targets); the target first, in [0, 1].
            y_pred: The same shape, unbounded.

        Returns:
            Shape (n,).
        """
        smooth = y_true[:, 0] * (1 - self.smoothing) + self.smoothing / 2
        total = _binary(smooth, y_pred[:, 0])
        for weight, of_group, places in self.parts:
            first, end = places[0], places[-1] + 1
            total = total + weight * of_group(y_true[:, first:end], y_pred[:, first:end])
        return total


def _group(name: str) -> str:
    return name.partition(":")[0]


def _binary(y_true: Any, logits: Any) -> Any:
    ops = keras.ops
    return ops.relu(logits) - logits * y_true + ops.softplus(-ops.abs(logits))


def _known(y_true: Any) -> tuple[Any, Any]:
    """Return 1 where a target is known, else 0; and the targets, with 0 for the others."""
    is_known = keras.ops.isfinite(y_true)
    return keras.ops.cast(is_known, "float32"), keras.ops.where(is_known, y_true, 0.0)


def _diagnosis(y_true: Any, logits: Any) -> Any:
    _, classes = _known(y_true)
    return -keras.ops.sum(classes * keras.ops.log_softmax(logits, axis=1), axis=1)


def _biopsied(y_true: Any, logits: Any) -> Any:
    known, values = _known(y_true)
    return (known * _binary(values, logits))[:, 0]


def _measurements(y_true: Any, y_pred: Any) -> Any:
    known, values = _known(y_true)
    off = keras.ops.sum(known * keras.ops.square(y_pred - values), axis=1)
    return off / (2 * keras.ops.maximum(keras.ops.sum(known, axis=1), 1.0))


_LOSSES = {"diagnosis": _diagnosis, "biopsied": _biopsied, "measurements": _measurements}
