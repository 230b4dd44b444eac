"""Fit a network: the schedule, exact validation metrics each epoch, the best epoch kept."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import keras
import numpy as np
import tensorflow as tf
from dvclive import Live
from pydantic import Field
from tqdm import tqdm

from skinlesion import augment, batches, distribution, metrics, model
from skinlesion.checkpoint import Best, Checkpoint, Progress
from skinlesion.errors import InputError
from skinlesion.feed import Feed
from skinlesion.params import Block

__all__ = ["Params", "Validation", "fit", "learning_rate", "logger"]

Log: TypeAlias = Callable[[int, dict[str, float]], None]  # told the epoch, and its values


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


@dataclass(frozen=True)
class Validation:
    """The lesions of the validation fold, all of them, never resampled."""

    lesions: batches.Lesions
    y_true: np.ndarray  # shape (n_lesions,)
    prior_shift: float  # to put the logits on the true prior


def learning_rate(p: Params, *, step: int, steps_per_epoch: float, n_steps: int) -> float:
    """Tell the learning rate of a step: linear warm-up, then the schedule.

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


@contextmanager
def logger(folder: Path, *, writes: bool = True) -> Iterator[Log]:
    """Open dvclive's log of a training.

    Args:
        folder: Where dvclive writes.
        writes: Whether this process does; of processes that train together, one.

    Yields:
        What `fit` calls after each epoch.
    """
    if not writes:
        yield lambda epoch, values: None
        return
    with Live(str(folder), dvcyaml=None, save_dvc_exp=False, report=None) as live:

        def log(epoch: int, values: dict[str, float]) -> None:
            live.step = epoch
            for name, value in values.items():
                live.log_metric(name, value)
            live.sync()

        yield log


def fit(
    network: keras.Model,
    epochs: list[batches.Training],
    validation: Validation,
    p: Params,
    *,
    augmentation: augment.Params,
    log: Log,
    checkpoint: Checkpoint | None = None,
) -> Best:
    """Fit the network and leave it with the weights of its best epoch.

    A training that goes on from a checkpoint ends with the bits of one that never stopped.

    Args:
        network: From `model.build`; changed in place.
        epochs: The planned epochs; training goes round and round through them.
        validation: Scored in full after each epoch.
        p: The block `train`.
        augmentation: The block `augment`.
        log: Called after each epoch with its number, from 0, and its values; once more for
            each epoch of a checkpoint.
        checkpoint: Gone on from, and kept up to date; left for the caller to remove.

    Returns:
        The best epoch by exact validation pAUC.

    Raises:
        InputError: A tile cannot be read, the loss is no longer finite, there are more devices
            than lesions in a batch, or processes would go on from different epochs.
    """
    share = distribution.current()
    plan = [epochs[e % len(epochs)] for e in range(p.n_epochs)]
    feed = Feed(epochs[0].lesions, batch_size=p.batch_size, seed=p.seed, augmentation=augmentation)
    n_batches = [feed.n_batches(data) for data in plan]
    logits = model.logits_of(network)
    logits.compile(
        keras.optimizers.AdamW(_Rates(p, sum(n_batches)), weight_decay=p.weight_decay),
        keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=p.label_smoothing),
        weighted_metrics=[],
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")],
    )
    progress, scorer = _start(logits, checkpoint, p), distribution.scorer(logits)
    for epoch, values in enumerate(progress.logged):
        log(epoch, values)
    with _Steps(p, n_batches, len(progress.logged)) as steps:
        while not _is_over(progress, p):
            epoch = len(progress.logged)
            values = _fit_epoch(logits, feed, plan[epoch], epoch=epoch, steps=steps)
            values |= _validate(scorer(), validation, p)
            log(epoch, values)
            steps.show(epoch, values)
            progress = progress.after(values, network)
            if checkpoint and share.writes:
                checkpoint.save(progress, logits)
    network.set_weights(progress.best.weights)
    return progress.best


def _start(logits: keras.Model, checkpoint: Checkpoint | None, p: Params) -> Progress:
    progress = checkpoint.restore(logits) if checkpoint else None
    if checkpoint and progress:
        checkpoint.say(f"goes on after epoch {len(progress.logged)} of {p.n_epochs}")
    return progress or Progress()


def _is_over(progress: Progress, p: Params) -> bool:
    n_epochs, patience = len(progress.logged), p.early_stopping_patience
    out_of_patience = patience is not None and n_epochs - 1 - progress.best.epoch >= patience
    return n_epochs == p.n_epochs or out_of_patience


def _fit_epoch(
    logits: keras.Model, feed: Feed, data: batches.Training, *, epoch: int, steps: "_Steps"
) -> dict[str, float]:
    given = feed.epoch(data, epoch=epoch)
    try:
        history = logits.fit(given, shuffle=False, verbose=0, callbacks=[steps]).history
    except tf.errors.OpError:
        if feed.failure:
            raise feed.failure from None
        raise
    loss = history["loss"][0]
    if not math.isfinite(loss):
        raise InputError(
            f"train: the loss must stay finite. Got {loss} in epoch {epoch}. "
            f"Lower train.learning_rate, or set keras.precision to float32."
        )
    return {"train/loss": loss, "train/accuracy": history["accuracy"][0]}


def _validate(run: distribution.Run, validation: Validation, p: Params) -> dict[str, float]:
    """Exact values over all lesions, loss and accuracy with scores on the true prior."""
    y_true, share = validation.y_true, distribution.current()
    held = batches.select(validation.lesions, share.rows(len(y_true)))
    scores, _ = model.apply(run, held, batch_size=share.per_process(p.batch_size))
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


class _Rates(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rate of each step, looked up where the step is taken.

    Set by a callback, it would hold JAX up before each step, and have all hosts compare it.
    """

    def __init__(self, p: Params, n_steps: int) -> None:
        rates = [
            learning_rate(p, step=step, steps_per_epoch=n_steps / p.n_epochs, n_steps=n_steps)
            for step in range(n_steps)
        ]
        self.rates = np.array(rates, np.float32)

    def __call__(self, step: Any) -> Any:
        return keras.ops.take(self.rates, step)


class _Steps(keras.callbacks.Callback):
    """Moves the progress bar."""

    def __init__(self, p: Params, n_steps: list[int], n_done: int) -> None:
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
