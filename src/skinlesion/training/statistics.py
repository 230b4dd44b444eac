"""Statistics of batch normalisation, estimated anew for weights that no step has left."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np

from skinlesion.dataset import batches

__all__ = ["estimated", "sample"]

N_LESIONS = 512
BATCH_SIZE = 128


def sample(data: batches.Training, *, seed: int) -> batches.Lesions:
    """Draw the lesions that statistics are estimated from.

    Args:
        data: An epoch, whose lesions count once each.
        seed: Of the draw.

    Returns:
        At most N_LESIONS, in whole batches where there are more than BATCH_SIZE.
    """
    rows = np.random.default_rng([seed, N_LESIONS]).permutation(np.unique(data.rows))[:N_LESIONS]
    n = len(rows) // BATCH_SIZE * BATCH_SIZE or len(rows)
    return batches.select(data.lesions, rows[:n])


@contextmanager
def estimated(logits: keras.Model, lesions: batches.Lesions) -> Iterator[None]:
    """Replace the moving statistics by those of lesions, and take them back.

    What a step leaves are statistics of its own weights. Averaged weights give other activations,
    and would be normalised wrongly. Tiles are not augmented; dropout is off.

    Args:
        logits: The network. Layers that are frozen keep their statistics.
        lesions: From `sample`. The result is the mean over their batches.

    Source:
        Izmailov et al. (2018), https://arxiv.org/abs/1803.05407, section 3.2.
    """
    found = [
        of for of in logits._flatten_layers() if isinstance(of, keras.layers.BatchNormalization)
    ]
    layers = [layer for layer in found if layer.built and layer.trainable]  # KerasCV has spare ones
    variables = [v for layer in layers for v in (layer.moving_mean, layer.moving_variance)]
    held = [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]
    if layers:
        _estimate(logits, layers, lesions)
    try:
        yield
    finally:
        for variable, value in zip(variables, held, strict=True):
            variable.assign(value)


def _estimate(
    logits: keras.Model, layers: list[keras.layers.Layer], lesions: batches.Lesions
) -> None:
    size = min(BATCH_SIZE, len(lesions))
    with _without_dropout(logits), _momenta(layers):
        for k, (inputs, _) in enumerate(batches.scoring(lesions, batch_size=size)):
            _set_momentum(layers, k / (k + 1))  # the mean of the batches so far
            _update(logits, inputs)


def _set_momentum(layers: list[keras.layers.Layer], momentum: float) -> None:
    for layer in layers:
        layer.momentum = momentum


def _update(logits: keras.Model, inputs: dict[str, np.ndarray]) -> None:
    if keras.backend.backend() != "jax":
        logits(inputs, training=True)
        return
    # Through numpy: what all processes share cannot meet the inputs of one.
    state = [
        [keras.ops.convert_to_numpy(variable) for variable in part]
        for part in (logits.trainable_variables, logits.non_trainable_variables)
    ]
    _, changed = logits.stateless_call(*state, inputs, training=True)
    for variable, value in zip(logits.non_trainable_variables, changed, strict=True):
        variable.assign(np.asarray(value))


@contextmanager
def _without_dropout(logits: keras.Model) -> Iterator[None]:
    layers = [of for of in logits._flatten_layers() if isinstance(of, keras.layers.Dropout)]
    rates = [layer.rate for layer in layers]
    for layer in layers:
        layer.rate = 0.0
    try:
        yield
    finally:
        for layer, rate in zip(layers, rates, strict=True):
            layer.rate = rate


@contextmanager
def _momenta(layers: list[keras.layers.Layer]) -> Iterator[None]:
    """Put the momenta back in the end."""
    momenta = [layer.momentum for layer in layers]
    try:
        yield
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
