"""The phases of a training: what learns in each, and how a network is compiled for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from skinlesion.network import augment
from skinlesion.training import optimizer, schedule

__all__ = ["Recipe", "preparer", "set_trainable"]


@dataclass(frozen=True)
class Recipe:
    """How a network is fitted."""

    train: schedule.Params
    augment: augment.Params


def preparer(
    network: keras.Model,
    logits: keras.Model,
    objective: tuple[Recipe, keras.losses.Loss],
    n_batches: Sequence[int],
) -> Callable[[int], None]:
    """Return what compiles a network for the phase of an epoch.

    Args:
        network: From `model.build`.
        logits: The same up to its outputs in training, which is compiled.
        objective: How it is fitted, and to what loss.
        n_batches: Of each epoch.

    Returns:
        A function of the number of an epoch, from 1.
    """
    recipe, loss = objective
    p, is_plain = recipe.train, recipe.augment.mixup.rate == 0 and not recipe.train.auxiliary.groups

    def prepare(n_epochs: int) -> None:
        epochs, of_phase = schedule.phase(p, n_epochs - 1)
        backbone = _backbone(network)
        if backbone is not None:
            set_trainable(backbone, p, is_frozen=n_epochs <= p.frozen_epochs)
        rates = schedule.Rates(of_phase, sum(n_batches[e] for e in epochs))
        logits.compile(
            optimizer.make(p, rates, backbone),
            loss,
            weighted_metrics=[],
            metrics=[keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")]
            if is_plain
            else [keras.metrics.MeanMetricWrapper(_accuracy, name="accuracy")],
        )

    return prepare


def _accuracy(y_true: Any, logits: Any) -> Any:
    """Compare signs, as no logit is equal to a mixed target; of the target, not the auxiliary."""
    return keras.ops.equal(y_true[:, :1] > 0.5, logits[:, :1] > 0)


def set_trainable(backbone: keras.Model, p: schedule.Params, *, is_frozen: bool) -> None:
    """Freeze a backbone, or let it learn, with or without its batch normalisation.

    What is frozen keeps its statistics, too, and normalises by them in training.

    Args:
        backbone: Changed in place.
        p: The block `train`.
        is_frozen: Whether none of its weights learns.
    """
    backbone.trainable = not is_frozen
    norms = [
        of for of in backbone._flatten_layers() if isinstance(of, keras.layers.BatchNormalization)
    ]
    for layer in norms if p.batch_norm == "frozen" else []:
        layer.trainable = False


def _backbone(network: keras.Model) -> keras.Model | None:
    found = [layer for layer in network.layers if layer.name == "backbone"]
    return found[0] if found else None
