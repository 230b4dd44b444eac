"""Fit a network: its phases, exact validation metrics each epoch, the epoch that is kept."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from skinlesion.dataset import batches
from skinlesion.errors import InputError
from skinlesion.network import model
from skinlesion.training import auxiliary, distribution, optimizer, phases, schedule, statistics
from skinlesion.training.checkpoint import Best, Checkpoint, Progress
from skinlesion.training.fold import Examples, Validation
from skinlesion.training.input_pipeline import InputPipeline
from skinlesion.training.logger import Log

__all__ = ["fit"]


def fit(
    network: keras.Model,
    examples: Examples,
    recipe: phases.Recipe,
    *,
    log: Log,
    checkpoint: Checkpoint | None = None,
) -> Best:
    """Fit the network and leave it with the weights of its best epoch, or of its last.

    Where the weights are averaged, the averages are validated and kept.
    A training that resumes from a checkpoint ends with the bits of one that never stopped.

    Args:
        network: From `model.build`; changed in place.
        examples: Its planned epochs are repeated in turn; its validation lesions are all
            scored after each epoch.
        recipe: The blocks `train` and `augment`.
        log: Called after each epoch with its number, from 0, and its values; once more for
            each epoch of a checkpoint.
        checkpoint: Resumed from, and written after each epoch; left for the caller to remove.

    Returns:
        The epoch of the highest exact validation pAUC; the last where p.select says so.

    Raises:
        InputError: A tile cannot be read, the loss is no longer finite, there are more devices
            than lesions in a batch, or processes would resume from different epochs.
    """
    p, n_targets = recipe.train, 1 + len(examples.targets)
    plan = [examples.epochs[e % len(examples.epochs)] for e in range(p.n_epochs)]
    pipeline = InputPipeline(
        plan[0].lesions,
        batch_size=p.batch_size,
        seed=p.seed,
        augmentation=recipe.augment,
        n_targets=n_targets,
    )
    n_batches = [pipeline.n_batches(data) for data in plan]
    logits = auxiliary.beside(model.logits_of(network), n_targets - 1)
    loss = auxiliary.loss(examples.targets, p.auxiliary, label_smoothing=p.label_smoothing)
    prepare = phases.preparer(network, logits, (recipe, loss), n_batches)
    progress, scorer = _start(logits, checkpoint, p, prepare), distribution.scorer(logits)
    for epoch, values in enumerate(progress.logged):
        log(epoch, values)
    training = _Training(network, logits, pipeline, plan, examples.validation, p, prepare, scorer)
    with _Steps(p, n_batches, len(progress.logged)) as steps:
        while not _is_over(progress, p):
            progress = training.after_epoch(progress, steps)
            epoch, values = len(progress.logged) - 1, progress.logged[-1]
            log(epoch, values)
            steps.show(epoch, values)
            _save(checkpoint, progress, logits)
    network.set_weights(progress.best.weights)
    return progress.best


@dataclass(frozen=True)
class _Training:
    """What each epoch of a training needs."""

    network: keras.Model
    logits: keras.Model  # the same, up to its outputs in training
    pipeline: InputPipeline
    plan: list[batches.Training]  # by epoch
    validation: Validation
    p: schedule.Params
    prepare: Callable[[int], None]  # of the n-th epoch, from 1
    scorer: Callable[[], distribution.Run]

    def after_epoch(self, progress: Progress, steps: "_Steps") -> Progress:
        """Fit the network for an epoch, and measure it with the weights that would be kept."""
        p, epoch = self.p, len(progress.logged)
        if epoch in (0, p.frozen_epochs):
            self.prepare(epoch + 1)
        values = _fit_epoch(self.logits, self.pipeline, self.plan[epoch], epoch=epoch, steps=steps)
        with _as_kept(self.logits, self.plan[0], p):
            values |= _validate(self.scorer(), self.validation, p)
            return progress.after(values, self.network, select=p.select)


@contextmanager
def _as_kept(logits: keras.Model, first: batches.Training, p: schedule.Params) -> Iterator[None]:
    """Give the network the weights that are validated and kept, for a while."""
    if p.average_momentum is None:
        yield
        return
    lesions = statistics.sample(first, seed=p.seed)
    with optimizer.averaged(logits), statistics.estimated(logits, lesions):
        yield


def _start(
    logits: keras.Model,
    checkpoint: Checkpoint | None,
    p: schedule.Params,
    prepare: Callable[[int], None],
) -> Progress:
    progress = checkpoint.restore(logits, prepare) if checkpoint else None
    if checkpoint and progress:
        checkpoint.say(f"resumes after epoch {len(progress.logged)} of {p.n_epochs}")
    return progress or Progress()


def _save(checkpoint: Checkpoint | None, progress: Progress, logits: keras.Model) -> None:
    if checkpoint and distribution.current().writes:
        checkpoint.save(progress, logits)


def _is_over(progress: Progress, p: schedule.Params) -> bool:
    n_epochs, patience = len(progress.logged), p.early_stopping_patience
    out_of_patience = patience is not None and n_epochs - 1 - progress.best.epoch >= patience
    return n_epochs == p.n_epochs or out_of_patience


def _fit_epoch(
    logits: keras.Model,
    pipeline: InputPipeline,
    data: batches.Training,
    *,
    epoch: int,
    steps: "_Steps",
) -> dict[str, float]:
    given = pipeline.epoch(data, epoch=epoch)
    try:
        history = logits.fit(given, shuffle=False, verbose=0, callbacks=[steps]).history
    except tf.errors.OpError:
        if pipeline.failure:
            raise pipeline.failure from None
        raise
    loss = history["loss"][0]
    if not math.isfinite(loss):
        raise InputError(
            f"train: the loss must stay finite. Got {loss} in epoch {epoch}. "
            f"Lower train.learning_rate, or set keras.precision to float32."
        )
    return {"train/loss": loss, "train/accuracy": history["accuracy"][0]}


def _validate(
    run: distribution.Run, validation: Validation, p: schedule.Params
) -> dict[str, float]:
    """Score all lesions, on all devices, and measure the scores."""
    shard, n_lesions = distribution.current(), len(validation.y_true)
    held = batches.select(validation.lesions, shard.rows(n_lesions))
    scores = model.apply(run, held, batch_size=shard.per_process(p.batch_size))
    scores = distribution.joined(scores, n_lesions)
    if not np.isfinite(scores).all():
        raise InputError("train: validation scores must be finite. Lower train.learning_rate.")
    return validation.values(scores)


class _Steps(keras.callbacks.Callback):
    """Moves the progress bar, whose clock starts after the first step: that one is compiled."""

    def __init__(self, p: schedule.Params, n_steps: list[int], n_done: int) -> None:
        super().__init__()
        self.p, self.writes = p, distribution.current().writes
        counts = {"total": sum(n_steps), "initial": sum(n_steps[:n_done])}
        given = {"unit": "step", "desc": "train", "mininterval": 1, "maxinterval": 30}
        self.bar = tqdm(**counts, disable=not self.writes, **given)
        self.is_compiled = False

    def __enter__(self) -> "_Steps":
        return self

    def __exit__(self, *_: Any) -> None:
        self.bar.close()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if not self.is_compiled:
            self.bar.unpause()
            self.is_compiled = True
        self.bar.update()

    def show(self, epoch: int, values: dict[str, float]) -> None:
        line = (
            f"epoch {epoch + 1:3d}/{self.p.n_epochs}  loss {values['train/loss']:.4f}"
            f"  validation pAUC {values['validation/pauc']:.4f}  AUC {values['validation/auc']:.4f}"
        )
        if self.writes:
            self.bar.write(line)
