"""The block `train`, and the learning rate of each step."""

import math
from typing import Annotated, Any, Literal

import keras
import numpy as np
from pydantic import Field, model_validator

from skinlesion.dataset import views
from skinlesion.params import Block
from skinlesion.training import auxiliary

__all__ = ["Params", "Rates", "learning_rate", "phase"]


class Head(Block):
    """Block `train.head`: a linear head on a frozen backbone's pooled features."""

    strengths: list[Annotated[float, Field(gt=0)]] = Field(min_length=1)
    n_folds: int = Field(ge=2)
    n_repeats: int = Field(ge=1)
    n_views: views.N
    seed: int = Field(ge=0)


class Params(Block):
    """Block `train`: how the network is fitted."""

    fitted: Literal["network", "head"]
    head: Head
    n_seeds: int = Field(ge=1)
    n_epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    backbone_rate: float = Field(gt=0, le=1)  # of the learning rate
    frozen_epochs: int = Field(ge=0)  # of n_epochs, the first
    batch_norm: Literal["trained", "frozen"]
    warmup_epochs: float = Field(ge=0)
    schedule: Literal["constant", "cosine", "exponential"]
    final_fraction: float = Field(gt=0, le=1)
    weight_decay: float = Field(ge=0)
    label_smoothing: float = Field(ge=0, lt=1)
    auxiliary: auxiliary.Weights
    average_momentum: float | None = Field(gt=0, lt=1)
    select: Literal["best", "last"]
    early_stopping_patience: int | None = Field(ge=1)
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _fits(self) -> "Params":
        if self.select == "last" and self.early_stopping_patience is not None:
            raise ValueError("a block with early_stopping_patience: null where select is last")
        if self.fitted == "head" and self.auxiliary.groups:
            raise ValueError("a block with auxiliary weights of 0 where fitted is head")
        if self.fitted == "head" and self.n_seeds > 1:  # nothing of a head is random
            raise ValueError("a block with n_seeds: 1 where fitted is head")
        if self.frozen_epochs > self.n_epochs:
            raise ValueError("a block whose frozen_epochs are among its n_epochs")
        return self


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


def phase(p: Params, epoch: int) -> tuple[range, Params]:
    """Find the phase of an epoch: with the backbone frozen, or all weights together.

    Args:
        p: The block `train`.
        epoch: From 0, less than p.n_epochs.

    Returns:
        The epochs of the phase, and the block as of a training of these alone. The learning rate
        of the frozen ones is constant after its warm-up.
    """
    if epoch < p.frozen_epochs:
        epochs, changes = range(p.frozen_epochs), {"schedule": "constant"}
    else:
        epochs, changes = range(p.frozen_epochs, p.n_epochs), {}
    return epochs, p.model_copy(update={"n_epochs": len(epochs), **changes})


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
