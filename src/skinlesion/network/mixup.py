"""Mixup: training lesions of which each is partly another, and so is its target."""

from typing import TypeAlias

import tensorflow as tf

from skinlesion.network import augment

__all__ = ["Batch", "mixed"]

# The network's inputs, float32; targets, shape (n,) or (n, n_targets); weights, shape (n,).
Batch: TypeAlias = tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]


def mixed(batch: Batch, p: augment.Mixup, seed: tf.Tensor) -> Batch:
    """Mix a share of the lesions of a batch, each with the one before it.

    The batch is shuffled, so the one before is any other. KerasCV's MixUp knows no weights and no
    table, and draws from a state. Here inputs, targets and weights are mixed alike, so that a loss
    that is linear in its target is that of both lesions, in their parts. The expected sums of the
    weights, and of weight times target, stay where all are mixed.

    Args:
        batch: In training.
        p: The block `augment.mixup`.
        seed: Shape (2,), integer, of the batch.

    Returns:
        The same shapes. A lesion's own part is drawn from Beta(alpha, alpha).

    Source:
        Zhang et al. (2018), https://arxiv.org/abs/1710.09412
    """
    inputs, y_true, weight = batch
    n = tf.shape(y_true)[0]
    own = tf.cast(_own(p, n, tf.cast(seed, tf.int64)), tf.float32)

    def between(x: tf.Tensor) -> tf.Tensor:
        part, product = _beside(own, x), tf.math.multiply_no_nan  # a NaN of no part is not mixed in
        return product(x, part) + product(tf.roll(x, 1, 0), 1 - part)

    total = between(weight)
    weighted = between(_beside(weight, y_true) * y_true)
    target = tf.math.divide_no_nan(weighted, _beside(total, y_true))
    images = {name: tf.ensure_shape(between(x), x.shape) for name, x in inputs.items()}
    return images, target, total


def _beside(of_lesions: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """Give a tensor of shape (n,) as many dimensions as x has."""
    ones = tf.ones(tf.rank(x) - 1, tf.int32)
    return tf.reshape(of_lesions, tf.concat([tf.shape(of_lesions), ones], 0))


def _own(p: augment.Mixup, n: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Draw the part of each that is its own, shape (n,), float64; 1 where it is not mixed."""
    seeds = [seed * [1, 1000] + [0, 900 + i] for i in range(3)]  # apart from those of `augment`
    # Of float64, where a small alpha does not make both of them 0.
    one, two = (
        tf.random.stateless_gamma([n], each, p.alpha, dtype=tf.float64) for each in seeds[:2]
    )
    chosen = tf.random.stateless_uniform([n], seeds[2]) < p.rate
    return tf.where(chosen, one / (one + two), tf.ones([n], tf.float64))
