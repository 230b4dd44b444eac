"""Epochs for Keras' `fit`: batches through tf.data, augmented there and prefetched."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from skinlesion.dataset import batches
from skinlesion.errors import InputError
from skinlesion.network import augment, mixup
from skinlesion.training import distribution

__all__ = ["InputPipeline"]

N_AHEAD = 2  # batches that are ready before the network wants them


class InputPipeline:
    """The epochs of one training; each depends on the seed and its number alone.

    The augmentation is traced once, for all epochs.
    """

    def __init__(
        self,
        lesions: batches.Lesions,
        *,
        batch_size: int,
        seed: int,
        augmentation: augment.Params,
        n_targets: int = 1,
    ) -> None:
        self._batch_size, self._seed, self._shard = batch_size, seed, distribution.current()
        n = self._shard.per_process(batch_size)
        self._signature = _signature(lesions, n, (n, n_targets) if n_targets > 1 else (n,))
        self._change, self._mixup = augment.pipeline(augmentation), augmentation.mixup
        number = tf.TensorSpec((), tf.int64)
        self._augmented = tf.function(self._augment, [number, number, self._signature])
        self.failure: InputError | None = None  # tf.data wraps what the reader raised in pages

    def n_batches(self, data: batches.Training) -> int:
        """Count the batches of an epoch.

        Args:
            data: What the epoch is made from.

        Raises:
            InputError: There are more devices than lesions in a batch.
        """
        return self._shard.n_batches(len(data.rows), self._batch_size)

    def epoch(self, data: batches.Training, *, epoch: int) -> tf.data.Dataset:
        """Return the dataset of an epoch.

        Args:
            data: What it is made from, of the lesions that the feed was made for.
            epoch: From 0.

        Returns:
            Batches, this process's shard of each: the network's inputs ("image" float32, 0 to
            255), targets, shape (n, n_targets), and weights, shape (n,). Where a tile cannot be
            read, an iteration fails with an error of TensorFlow, and `failure` says why.
        """

        def generate() -> Iterator[tuple[Any, ...]]:
            try:
                given = {"batch_size": self._batch_size, "seed": self._seed, "epoch": epoch}
                yield from batches.training(data, shard=self._shard, **given)
            except InputError as error:
                self.failure = error
                raise

        epoch_seed = np.random.SeedSequence([self._seed, epoch]).generate_state(1).astype("i8")[0]
        read = tf.data.Dataset.from_generator(generate, output_signature=self._signature)
        # Without its length Keras would warn, each epoch, that the input ran out.
        counted = read.apply(tf.data.experimental.assert_cardinality(self.n_batches(data)))
        # One batch at a time: behind a generator, TensorFlow's determinism allows no more.
        augmented = counted.enumerate().map(lambda i, batch: self._augmented(i, epoch_seed, batch))
        return augmented.prefetch(N_AHEAD)

    def _augment(
        self, i: tf.Tensor, epoch_seed: tf.Tensor, batch: tuple[Any, ...]
    ) -> tuple[Any, ...]:
        inputs, y_true, weight = batch
        part = i * self._shard.n_processes + self._shard.process_index
        seed = tf.stack([epoch_seed, part])
        if "image" in inputs:
            inputs = inputs | {"image": self._change(inputs["image"], seed)}
        if self._mixup.rate:
            inputs, y_true, weight = mixup.mixed((inputs, y_true, weight), self._mixup, seed)
        return inputs, y_true if y_true.shape.rank == 2 else y_true[:, None], weight


def _signature(lesions: batches.Lesions, n: int, of_targets: tuple[int, ...]) -> tuple[Any, ...]:
    """Describe a batch, with its size: else TensorFlow would infer all shapes in each step."""
    px, n_features = lesions.image_px, lesions.tabular.shape[1]
    inputs = {}
    if lesions.store is not None:
        inputs["image"] = tf.TensorSpec((n, px, px, 3), tf.uint8)
    if n_features:
        inputs["tabular"] = tf.TensorSpec((n, n_features), tf.float32)
    return inputs, tf.TensorSpec(of_targets, tf.float32), tf.TensorSpec((n,), tf.float32)
