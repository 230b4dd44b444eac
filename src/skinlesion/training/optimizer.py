"""AdamW with a smaller learning rate for the backbone, and with an average of the weights."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from skinlesion.training import schedule

__all__ = ["AdamW", "averaged", "make"]

Test = Callable[[Any], bool]  # of a variable


class AdamW(keras.optimizers.Adam):
    """AdamW whose learning rate differs by variable, and which averages what it updates.

    A variable takes its step and its weight decay at `fraction` of the learning rate where
    `is_slow` holds. After each step of the training a moving average follows each variable:

        average = m * average + (1 - m) * variable,  m = min(momentum, t / (t + 9))

    at step t, from 0. Without that warm-up the average would hold the first, random weights for
    1 / (1 - momentum) steps. All happens in `update_step`, which every backend calls on each of
    its devices. The averages are among the optimizer's variables, and so in a checkpoint.

    Source:
        Loshchilov and Hutter (2019), https://arxiv.org/abs/1711.05101; the warm-up is that of
        https://www.tensorflow.org/api_docs/python/tf/train/ExponentialMovingAverage.
    """

    def __init__(
        self,
        learning_rate: Any,
        *,
        decay: float,
        momentum: float | None,
        fraction: float = 1.0,
        is_slow: Test = lambda variable: False,
    ) -> None:
        super().__init__(learning_rate, name="adamw")
        self.decay, self.momentum = decay, momentum
        self.fraction, self.is_slow = fraction, is_slow
        self.averages: list[keras.Variable] = []
        self._fractions: list[float] = []

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Make the moments and averages.

        Args:
            variables: The trainable ones.
        """
        if self.built:
            return
        super().build(variables)
        self._fractions = [self.fraction if self.is_slow(v) else 1.0 for v in variables]
        if self.momentum is not None:
            self.averages = self.add_optimizer_variables(variables, "average")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update a variable, then its average.

        Args:
            gradient: Of the loss.
            variable: One of those that it was built for, or its copy on this device.
            learning_rate: Of this step.
        """
        ops, index = keras.ops, self._get_variable_index(variable)
        rate = ops.cast(learning_rate, variable.dtype) * self._fractions[index]
        self.assign_sub(variable, ops.multiply(variable, rate * self.decay))
        super().update_step(gradient, variable, rate)
        if self.averages:
            step = ops.cast(self.iterations, variable.dtype)
            kept = ops.minimum(ops.cast(self.momentum, variable.dtype), step / (step + 9))
            average = self.averages[index]
            self.assign_sub(average, ops.multiply(ops.subtract(average, variable), 1 - kept))


def make(
    p: schedule.Params, rates: Any, backbone: keras.Model | None
) -> keras.optimizers.Optimizer:
    """Make the optimizer of a training.

    Args:
        p: The block `train`.
        rates: The learning rate, or a schedule of it.
        backbone: Of the network; None where it has none.

    Returns:
        Keras' own AdamW where nothing asks for more.
    """
    if p.average_momentum is None and p.backbone_rate == 1:
        return keras.optimizers.AdamW(rates, weight_decay=p.weight_decay)
    slow = {variable.path for variable in backbone.variables} if backbone else set()
    return AdamW(
        rates,
        decay=p.weight_decay,
        momentum=p.average_momentum,
        fraction=p.backbone_rate,
        is_slow=lambda variable: variable.path in slow,
    )


@contextmanager
def averaged(logits: keras.Model) -> Iterator[None]:
    """Put the averages in the place of the weights, and take them back.

    The statistics of batch normalisation stay as they are, those of the last weights: see
    `statistics.estimated`.

    Args:
        logits: Compiled with an optimizer from `make`; unchanged where that keeps no averages.
    """
    optimizer = getattr(logits.optimizer, "inner_optimizer", logits.optimizer)
    averages = getattr(optimizer, "averages", [])
    pairs = list(zip(logits.trainable_variables, averages, strict=True)) if averages else []
    held = [_assign(variable, average) for variable, average in pairs]
    try:
        yield
    finally:
        for (variable, _), value in zip(pairs, held, strict=True):
            variable.assign(value)


def _assign(variable: keras.Variable, average: keras.Variable) -> np.ndarray:
    """Give a variable another's value; return its own."""
    held = keras.ops.convert_to_numpy(variable)
    variable.assign(keras.ops.convert_to_numpy(average))
    return np.array(held)
