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
from skinlesion.network import augment, model
from skinlesion.training import auxiliary, distribution, optimizer, schedule, statistics
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
    p, epochs = recipe.train, examples.epochs
    plan = [epochs[e % len(epochs)] for e in range(p.n_epochs)]
    pipeline = InputPipeline(
        epochs[0].lesions,
        batch_size=p.batch_size,
        seed=p.seed,
        augmentation=recipe.augment,
        n_targets=1 + len(examples.targets),
    )
    n_batches = [pipeline.n_batches(data) for data in plan]
    logits = auxiliary.beside(model.logits_of(network), len(examples.targets))
    loss = auxiliary.loss(examples.targets, p.auxiliary, label_smoothing=p.label_smoothing)
    prepare = _preparer(network, logits, (recipe, loss), n_batches)
    progress, scorer = _start(logits, checkpoint, p, prepare), distribution.scorer(logits)
    for epoch, values in enumerate(progress.logged):
        log(epoch, values)
    with _Steps(p, n_batches, len(progress.logged)) as steps:
        while not _is_over(progress, p):
            epoch = len(progress.logged)
            if epoch in (0, p.frozen_epochs):
                prepare(epoch + 1)
            values = _fit_epoch(logits, pipeline, plan[epoch], epoch=epoch, steps=steps)
            with _as_kept(logits, plan[0], p):
                values |= _validate(scorer(), examples.validation, p)
                progress = progress.after(values, network, select=p.select)
            log(epoch, values)
            steps.show(epoch, values)
            _save(checkpoint, progress, logits)
    network.set_weights(progress.best.weights)
    return progress.best


def _preparer(
    network: keras.Model,
    logits: keras.Model,
    objective: tuple[Recipe, keras.losses.Loss],
    n_batches: list[int],
) -> Callable[[int], None]:
    """Return what compiles the network for the phase that the n-th epoch, from 1, is in."""
    recipe, loss = objective
    p, is_plain = recipe.train, recipe.augment.mixup.rate == 0 and not recipe.train.auxiliary.groups

    def prepare(n_epochs: int) -> None:
        epochs, of_phase = schedule.phase(p, n_epochs - 1)
        backbone = _backbone(network)
        if backbone is not None:
            _set_trainable(backbone, p, is_frozen=n_epochs <= p.frozen_epochs)
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


@contextmanager
def _as_kept(logits: keras.Model, first: batches.Training, p: schedule.Params) -> Iterator[None]:
    """Give the network the weights that are validated and kept, for a while."""
    if p.average_momentum is None:
        yield
        return
    lesions = statistics.sample(first, seed=p.seed)
    with optimizer.averaged(logits), statistics.estimated(logits, lesions):
        yield


def _backbone(network: keras.Model) -> keras.Model | None:
    found = [layer for layer in network.layers if layer.name == "backbone"]
    return found[0] if found else None


def _set_trainable(backbone: keras.Model, p: schedule.Params, *, is_frozen: bool) -> None:
    """Freeze a backbone, or let it learn, with or without its batch normalisation.

    What is frozen keeps its statistics, too, and normalises by them in training.
    """
    backbone.trainable = not is_frozen
    if p.batch_norm == "frozen":
        for layer in backbone._flatten_layers():
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False


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
    scores, _ = model.apply(run, held, batch_size=shard.per_process(p.batch_size))
    scores = distribution.joined(scores, n_lesions)
    if not np.isfinite(scores).all():
        raise InputError("train: validation scores must be finite. Lower train.learning_rate.")
    return validation.values(scores)


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
