"""Augmentation of training tiles, in the order applied, each with its own rate and range."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import keras_cv
import numpy as np
import tensorflow as tf
from pydantic import Field

from skinlesion.params import Block

__all__ = ["Params", "pipeline"]

Images: TypeAlias = tf.Tensor  # shape (n, px, px, 3), float32, 0 to 255
Change: TypeAlias = Callable[[Images], Images]

# float32 whatever the network's precision; a seed, as without one KerasCV asks TensorFlow for
# a generator of random state, which determinism forbids. It is replaced by _Draws.
_OPTIONS = {"dtype": "float32", "seed": 1}


class Rate(Block):
    """Share of tiles that are changed; 0 switches the change off."""

    rate: float = Field(ge=0, le=1)


class Strength(Rate):
    """A rate, and the largest change as a fraction; of hue, of half the colour circle."""

    max_change: float = Field(gt=0, le=1)


class Rotation(Rate):
    """A rate, and the largest angle to either side."""

    max_degrees: float = Field(gt=0, le=180)


class Mixup(Rate):
    """The share of a batch's lesions that are mixed with another, and how evenly they are."""

    alpha: float = Field(gt=0)  # small: nearly all of one, little of the other


class Params(Block):
    """Block `augment`: the random changes of a training tile, in this order."""

    horizontal_flip: Rate
    vertical_flip: Rate
    quarter_turn: Rate
    rotation: Rotation
    zoom: Strength
    brightness: Strength
    contrast: Strength
    saturation: Strength
    hue: Strength
    cutout: Strength
    mixup: Mixup


class _Draws:
    """Stateless replacement of the tf.random.Generator that KerasCV's layers draw from.

    A generator has a state, and tf.data may run ahead in iterators that are then given up,
    so what it draws depends on timing. Here each draw is a function of the batch's seed and
    of the draw's place in the pipeline.
    """

    def __init__(self) -> None:
        self.seed, self.n_drawn = tf.constant([0, 0], tf.int64), 0

    def start(self, seed: tf.Tensor) -> None:
        self.seed, self.n_drawn = tf.cast(seed, tf.int64), 0

    def uniform(
        self,
        shape: Sequence[int | tf.Tensor],
        minval: float = 0,
        maxval: float | tf.Tensor = 1,
        dtype: tf.DType = tf.float32,
    ) -> tf.Tensor:
        self.n_drawn += 1
        # No pipeline draws a thousand times, so the seeds of two batches do not meet.
        seed = self.seed * [1, 1000] + [0, self.n_drawn]
        return tf.random.stateless_uniform(shape, seed, minval, maxval, dtype)


class _Uniform(keras_cv.core.FactorSampler):
    """Draws a strength, where KerasCV's own sampler has a state of its own."""

    def __init__(self, draws: _Draws, low: float, high: float) -> None:
        self.draws, self.low, self.high = draws, low, high

    def __call__(self, shape: tuple[int, ...] = (), dtype: str = "float32") -> tf.Tensor:
        return self.draws.uniform(shape, self.low, self.high, tf.as_dtype(dtype))


def pipeline(p: Params) -> Callable[[tf.Tensor, tf.Tensor], Images]:
    """Return the augmentation as one function.

    Args:
        p: The block `augment`.

    Returns:
        A function of images, shape (n, px, px, 3), uint8 or float32, 0 to 255, and of the
        batch's seed, shape (2,), integer; it returns the same shape and range, float32. For use
        in a tf.data pipeline: what it does is a function of its arguments alone.
    """
    draws = _Draws()
    changes = [_sometimes(draws, change, of.rate) for of, change in _changes(p, draws) if of.rate]

    def augment(images: tf.Tensor, seed: tf.Tensor) -> Images:
        draws.start(seed)
        images = tf.cast(_oriented(draws, images, p), tf.float32)
        for change in changes:
            images = change(images)
        return tf.clip_by_value(images, 0.0, 255.0)

    return augment


def _oriented(draws: _Draws, images: tf.Tensor, p: Params) -> tf.Tensor:
    """Flip and turn by a quarter: all in one, as it moves pixels only."""
    if not (p.horizontal_flip.rate or p.vertical_flip.rate or p.quarter_turn.rate):
        return images
    n, px = tf.shape(images)[0], images.shape[1]
    rates = (p.horizontal_flip.rate, p.vertical_flip.rate, p.quarter_turn.rate)
    mirrored, upside_down, turned = [draws.uniform((n,)) < rate for rate in rates]
    n_turns = tf.where(turned, 1 + draws.uniform((n,), 0, 3, tf.int32), 0)
    flips = 2 * tf.cast(mirrored, tf.int32) + tf.cast(upside_down, tf.int32)
    moved = tf.gather(_ways(px), 4 * flips + n_turns)  # (n, px * px)
    pixels = tf.reshape(images, (n, px * px, 3))
    return tf.reshape(tf.gather(pixels, moved, batch_dims=1), tf.shape(images))


def _ways(px: int) -> np.ndarray:
    """Where each pixel comes from, for both flips, then turns: shape (2 * 2 * 4, px * px)."""
    place = np.arange(px * px, dtype=np.int32).reshape(px, px)
    flipped = [place[::up, ::side] for side in (1, -1) for up in (1, -1)]
    return np.stack([np.rot90(way, k).ravel() for way in flipped for k in range(4)])


def _changes(p: Params, draws: _Draws) -> list[tuple[Rate, Change]]:
    layers = keras_cv.layers
    turn, zoom = p.rotation.max_degrees / 360, p.zoom.max_change
    light, colour = p.brightness.max_change, p.saturation.max_change
    # KerasCV multiplies the saturation by x / (1 - x), which is 1 -+ colour at these bounds.
    saturation = _Uniform(draws, (1 - colour) / (2 - colour), (1 + colour) / (2 + colour))
    hole, hue = _Uniform(draws, 0, p.cutout.max_change), _Uniform(draws, 0, p.hue.max_change)
    contrast = layers.RandomContrast((0, 255), p.contrast.max_change, **_OPTIONS)
    # Its constructor takes no sampler.
    contrast.factor = _Uniform(draws, 1 - p.contrast.max_change, 1 + p.contrast.max_change)
    found = [
        (p.rotation, layers.RandomRotation((-turn, turn), fill_mode="reflect", **_OPTIONS)),
        (p.zoom, layers.RandomZoom((-zoom, zoom), fill_mode="reflect", **_OPTIONS)),
        (p.brightness, layers.RandomBrightness(_Uniform(draws, -light, light), **_OPTIONS)),
        (p.contrast, contrast),
        (p.saturation, layers.RandomSaturation(saturation, **_OPTIONS)),
        (p.hue, layers.RandomHue(hue, (0, 255), **_OPTIONS)),
        (p.cutout, layers.RandomCutout(hole, hole, **_OPTIONS)),
    ]
    for _, change in found:
        if hasattr(change, "_random_generator"):
            change._random_generator = draws
    return found


def _sometimes(draws: _Draws, change: Change, rate: float) -> Change:
    """Change a share of the tiles, and compute those alone."""
    if rate == 1:
        return change

    def some(images: Images) -> Images:
        n = tf.shape(images)[0]
        rows = tf.where(draws.uniform((n,)) < rate)  # (n_chosen, 1)
        chosen = tf.gather_nd(images, rows)
        return tf.tensor_scatter_nd_update(images, rows, change(chosen))

    return some
