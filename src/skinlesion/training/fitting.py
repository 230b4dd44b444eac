"""Fit a network: the schedule, exact validation metrics each epoch, the best epoch kept."""

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from skinlesion import metrics
from skinlesion.dataset import batches
from skinlesion.errors import InputError
from skinlesion.network import augment, model
from skinlesion.training import distribution, schedule
from skinlesion.training.checkpoint import Best, Checkpoint, Progress
from skinlesion.training.fold import Examples, Validation
from skinlesion.training.input_pipeline import InputPipeline
from skinlesion.training.logger import Log

__all__ = ["Recipe", "fit"]


@dataclass(frozen=True)
class Recipe:
    """How a network is fitted."""

    train: schedule.Params
    augment: augment.Params


def fit(
    network: keras.Model,
    examples: Examples,
    recipe: Recipe,
    *,
    log: Log,
    checkpoint: Checkpoint | None = None,
) -> Best:
    """Fit the network and leave it with the weights of its best epoch.

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
        The best epoch by exact validation pAUC.

    Raises:
        InputError: A tile cannot be read, the loss is no longer finite, there are more devices
            than lesions in a batch, or processes would resume from different epochs.
    """
    p, epochs = recipe.train, examples.epochs
    plan = [epochs[e % len(epochs)] for e in range(p.n_epochs)]
    pipeline = InputPipeline(
        epochs[0].lesions, batch_size=p.batch_size, seed=p.seed, augmentation=recipe.augment
    )
    n_batches = [pipeline.n_batches(data) for data in plan]
    logits = _compiled(network, p, sum(n_batches))
    progress, scorer = _start(logits, checkpoint, p), distribution.scorer(logits)
    for epoch, values in enumerate(progress.logged):
        log(epoch, values)
    with _Steps(p, n_batches, len(progress.logged)) as steps:
        while not _is_over(progress, p):
            epoch = len(progress.logged)
            values = _fit_epoch(logits, pipeline, plan[epoch], epoch=epoch, steps=steps)
            values |= _validate(scorer(), examples.validation, p)
            log(epoch, values)
            steps.show(epoch, values)
            progress = progress.after(values, network)
            _save(checkpoint, progress, logits)
    network.set_weights(progress.best.weights)
    return progress.best


def _compiled(network: keras.Model, p: schedule.Params, n_steps: int) -> keras.Model:
    logits = model.logits_of(network)
    logits.compile(
        keras.optimizers.AdamW(schedule.Rates(p, n_steps), weight_decay=p.weight_decay),
        keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=p.label_smoothing),
        weighted_metrics=[],
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")],
    )
    return logits


def _start(logits: keras.Model, checkpoint: Checkpoint | None, p: schedule.Params) -> Progress:
    progress = checkpoint.restore(logits) if checkpoint else None
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
    """Exact values over all lesions, loss and accuracy with scores on the true prior."""
    y_true, shard = validation.y_true, distribution.current()
    held = batches.select(validation.lesions, shard.rows(len(y_true)))
    scores, _ = model.apply(run, held, batch_size=shard.per_process(p.batch_size))
    scores = distribution.joined(scores, len(y_true))
    if not np.isfinite(scores).all():
        raise InputError("train: validation scores must be finite. Lower train.learning_rate.")
    scores -= validation.prior_shift
    return {
        "validation/loss": metrics.log_loss(y_true, scores),
        "validation/accuracy": float(np.mean((scores > 0) == (y_true == 1))),
        "validation/auc": metrics.auc(y_true, scores),
        "validation/pauc": metrics.partial_auc(y_true, scores),
    }


class _Steps(keras.callbacks.Callback):
    """Moves the progress bar."""

    def __init__(self, p: schedule.Params, n_steps: list[int], n_done: int) -> None:
        super().__init__()
        self.p, self.writes = p, distribution.current().writes
        counts = {"total": sum(n_steps), "initial": sum(n_steps[:n_done])}
        given = {"unit": "step", "desc": "train", "mininterval": 1, "maxinterval": 30}
        self.bar = tqdm(**counts, disable=not self.writes, **given)

    def __enter__(self) -> "_Steps":
        return self

    def __exit__(self, *_: Any) -> None:
        self.bar.close()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.bar.update()

    def show(self, epoch: int, values: dict[str, float]) -> None:
        line = (
            f"epoch {epoch + 1:3d}/{self.p.n_epochs}  loss {values['train/loss']:.4f}"
            f"  validation pAUC {values['validation/pauc']:.4f}  AUC {values['validation/auc']:.4f}"
        )
        if self.writes:
            self.bar.write(line)
