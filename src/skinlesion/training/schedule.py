"""The block `train`, and the learning rate of each step."""

import math
from typing import Any, Literal

import keras
import numpy as np
from pydantic import Field

from skinlesion.params import Block

__all__ = ["Params", "Rates", "learning_rate"]


class Params(Block):
    """Block `train`: how the network is fitted."""

    n_epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    warmup_epochs: float = Field(ge=0)
    schedule: Literal["constant", "cosine", "exponential"]
    final_fraction: float = Field(gt=0, le=1)
    weight_decay: float = Field(ge=0)
    label_smoothing: float = Field(ge=0, lt=1)
    early_stopping_patience: int | None = Field(ge=1)
    seed: int = Field(ge=0)


def learning_rate(p: Params, *, step: int, steps_per_epoch: float, n_steps: int) -> float:
    """Return the learning rate of a step: linear warm-up, then the schedule.

    Args:
        p: The block `train`.
        step: From 0.
        steps_per_epoch: Steps in an epoch.
        n_steps: Steps in the whole training.

    Returns:
        In (0, p.learning_rate]. Both decays end at p.learning_rate * p.final_fraction.
    """
    n_warmup = min(round(p.warmup_epochs * steps_per_epoch), n_steps - 1)
    if step < n_warmup:
        return p.learning_rate * (step + 1) / (n_warmup + 1)
    share = (step - n_warmup) / max(1, n_steps - 1 - n_warmup)
    fraction: dict[str, float] = {
        "constant": 1.0,
        "cosine": p.final_fraction + (1 - p.final_fraction) * (1 + math.cos(math.pi * share)) / 2,
        "exponential": p.final_fraction**share,
    }
    return p.learning_rate * fraction[p.schedule]


class Rates(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rates of all steps, as a Keras schedule that looks them up.

    Set by a callback, it would hold JAX up before each step, and have all hosts compare it.
    """

    def __init__(self, p: Params, n_steps: int) -> None:
        rates = [
            learning_rate(p, step=step, steps_per_epoch=n_steps / p.n_epochs, n_steps=n_steps)
            for step in range(n_steps)
        ]
        self.rates = np.array(rates, np.float32)

    def __call__(self, step: Any) -> Any:
        """Look up the learning rate of a step, a scalar tensor counted from 0."""
        return keras.ops.take(self.rates, step)
