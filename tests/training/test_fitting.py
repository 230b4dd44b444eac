"""training.fitting: it learns, repeatably, and keeps the epoch that ranks best."""

import os

import keras
import numpy as np
import pytest
import tensorflow as tf
from tests.augmentations import augmentation
from tests.process import changed
from tests.recipes import params
from tqdm import tqdm

from skinlesion import metrics
from skinlesion.dataset import atomic, batches
from skinlesion.errors import InputError
from skinlesion.network import backend, model
from skinlesion.training import checkpoint, fitting, fold, phases

pytestmark = pytest.mark.usefixtures("keras_started")

N = 120


@pytest.fixture
def problem(solid_tiles):
    """Lesions whose first feature, and whose brightness, tell the target from noise."""
    rng = np.random.default_rng(0)
    y_true = (np.arange(N) % 4 == 0).astype(int)
    ids = np.array([f"ISIC_{i:07d}" for i in range(N)])
    tabular = np.column_stack([3 * y_true + rng.normal(size=N), rng.normal(size=N)])
    brightness = (60 + 90 * y_true + rng.integers(0, 30, N)).tolist()
    tiles = solid_tiles(dict(zip(ids, brightness, strict=True)))
    return batches.Lesions(ids, tabular.astype(np.float32), tiles, image_px=32), y_true


def only(lesions: batches.Lesions, *, tabular: bool = True, image: bool = True) -> batches.Lesions:
    features = lesions.tabular if tabular else lesions.tabular[:, :0]
    return batches.Lesions(
        lesions.isic_ids, features, lesions.store if image else None, lesions.image_px
    )


def fitted(network, lesions, y_true, p, *, prior_shift=0.0, augmentation_p=None, **options):
    """Train on the first two thirds; return what `fit` returns, and the logged values."""
    rows, logged = np.arange(N), []
    drawn, held = rows[: 2 * N // 3], rows[2 * N // 3 :]
    epoch = batches.Training(
        lesions, drawn, y_true[drawn].astype(np.float32), np.ones(len(drawn), np.float32)
    )
    validation = fold.Validation(batches.select(lesions, held), y_true[held], prior_shift)
    best = fitting.fit(
        network,
        fold.Examples([epoch], validation, lesions.isic_ids),
        phases.Recipe(train=p, augment=augmentation_p or augmentation()),
        **{"log": lambda epoch, values: logged.append(values)} | options,
    )
    return best, logged


def table_network(architecture):
    return model.build(architecture(backbone="none"))


def test_a_table_that_separates_is_learnt(architecture, problem):
    lesions, y_true = problem
    p = params(n_epochs=8)
    best, logged = fitted(table_network(architecture), only(lesions, image=False), y_true, p)

    assert best.values["validation/auc"] > 0.95
    assert logged[-1]["train/loss"] < logged[0]["train/loss"]
    assert logged[-1]["train/accuracy"] > 0.9


def test_tiles_that_separate_are_learnt(architecture, problem):
    lesions, y_true = problem
    network = model.build(architecture(n_features=0))
    p = params(n_epochs=4, batch_size=8, warmup_epochs=0.5)
    best, _ = fitted(network, only(lesions, tabular=False), y_true, p)

    assert best.values["validation/auc"] > 0.95


def test_two_trainings_are_equal_to_the_bit(architecture, problem):
    lesions, y_true = problem
    changes = augmentation(horizontal_flip=0.5, brightness=0.5)
    found = []
    for _ in range(2):
        backend.start(backend.Params(backend="tensorflow", precision="float32", seed=0))
        network = model.build(architecture(image_dropout=0.2, tabular_dropout=0.2))
        _, logged = fitted(network, lesions, y_true, params(n_epochs=2), augmentation_p=changes)
        found.append((network.get_weights(), logged))
    (weights, logged), (again, logged_again) = found

    assert all(np.array_equal(a, b) for a, b in zip(weights, again, strict=True))
    assert logged == logged_again


def test_the_seed_decides_the_order(architecture, problem):
    lesions, y_true = problem
    start = table_network(architecture).get_weights()
    found = []
    for seed in (1, 2):
        network = table_network(architecture)
        network.set_weights(start)
        fitted(network, only(lesions, image=False), y_true, params(seed=seed))
        found.append(network.get_weights()[0])

    assert not np.array_equal(*found)


def test_tiles_are_augmented_in_training_but_not_in_validation(architecture, problem, monkeypatch):
    lesions, y_true = problem
    network = model.build(architecture(n_features=0))
    black = lambda p: lambda images, seed: images * 0  # noqa: E731
    monkeypatch.setattr("skinlesion.network.augment.pipeline", black)
    _, [values] = fitted(network, only(lesions, tabular=False), y_true, params(n_epochs=1))
    held = batches.select(only(lesions, tabular=False), np.arange(2 * N // 3, N))
    scores = model.apply(model.logits_of(network).predict_on_batch, held, batch_size=16)

    assert values["train/accuracy"] <= 0.75  # no better than the share of negatives
    assert len(set(scores)) > 20


@pytest.mark.parametrize("prior_shift", [0.0, 2.0])
def test_validation_values_are_exact_over_all_lesions(architecture, problem, prior_shift):
    lesions, y_true = problem
    lesions, held = only(lesions, image=False), np.arange(2 * N // 3, N)
    network = table_network(architecture)
    best, logged = fitted(network, lesions, y_true, params(n_epochs=1), prior_shift=prior_shift)
    scores = model.apply(
        model.logits_of(network).predict_on_batch, batches.select(lesions, held), batch_size=7
    )
    on_prior, values = scores - prior_shift, best.values

    assert best.values == logged[0]
    assert values["validation/pauc"] == metrics.partial_auc(y_true[held], scores)
    assert values["validation/auc"] == metrics.auc(y_true[held], scores)
    assert values["validation/loss"] == pytest.approx(metrics.log_loss(y_true[held], on_prior))
    assert values["validation/accuracy"] == np.mean((on_prior > 0) == y_true[held])


def test_the_network_keeps_the_earliest_epoch_of_the_highest_pauc(
    architecture, problem, monkeypatch
):
    lesions, y_true = problem
    lesions, network = only(lesions, image=False), table_network(architecture)
    paucs, seen = iter([0.1, 0.15, 0.12, 0.15]), []

    def partial_auc(*_):
        seen.append(network.get_weights())
        return next(paucs)

    monkeypatch.setattr("skinlesion.metrics.partial_auc", partial_auc)
    best, logged = fitted(network, lesions, y_true, params(n_epochs=4))

    assert best.epoch == 1
    assert best.values == logged[1]
    for kept, then, later in zip(network.get_weights(), seen[1], seen[3], strict=True):
        assert np.array_equal(kept, then)
        assert not np.array_equal(kept, later)


@pytest.mark.parametrize(("patience", "n_epochs"), [(2, 4), (None, 6)])
def test_training_stops_when_no_better_epoch_comes(
    architecture, problem, monkeypatch, patience, n_epochs
):
    lesions, y_true = problem
    paucs = iter([0.1, 0.15, 0.12, 0.15, 0.1, 0.1])
    monkeypatch.setattr("skinlesion.metrics.partial_auc", lambda *_: next(paucs))
    p = params(n_epochs=6, early_stopping_patience=patience)
    _, logged = fitted(table_network(architecture), only(lesions, image=False), y_true, p)

    assert len(logged) == n_epochs


def test_training_goes_round_and_round_through_the_plan(architecture, problem, monkeypatch):
    lesions, y_true = problem
    lesions, seen, real = only(lesions, image=False), [], batches.training

    def recording(data, **options):
        seen.append((options["epoch"], len(data.rows)))
        return real(data, **options)

    monkeypatch.setattr("skinlesion.dataset.batches.training", recording)
    plan = [
        batches.Training(lesions, rows, y_true[rows].astype(np.float32), np.ones(len(rows)))
        for rows in (np.arange(40), np.arange(90))
    ]
    fitting.fit(
        table_network(architecture),
        fold.Examples(plan, fold.Validation(lesions, y_true, 0.0), lesions.isic_ids),
        phases.Recipe(train=params(n_epochs=3, batch_size=20), augment=augmentation()),
        log=lambda *_: None,
    )

    assert seen == [(0, 40), (1, 90), (2, 40)]


def test_weights_of_lesions_count(architecture, problem):
    lesions, y_true = problem
    lesions = only(lesions, image=False)
    start, found = table_network(architecture).get_weights(), []
    for weight in (y_true == 1, y_true == 0):
        network = table_network(architecture)
        network.set_weights(start)
        epoch = batches.Training(
            lesions, np.arange(N), y_true.astype(np.float32), weight.astype(np.float32)
        )
        fitting.fit(
            network,
            fold.Examples([epoch], fold.Validation(lesions, y_true, 0.0), lesions.isic_ids),
            phases.Recipe(train=params(n_epochs=4), augment=augmentation()),
            log=lambda *_: None,
        )
        found.append(
            model.apply(model.logits_of(network).predict_on_batch, lesions, batch_size=N).mean()
        )
    only_positives, only_negatives = found

    assert only_positives > only_negatives + 1


def test_a_loss_that_is_no_longer_finite_is_a_readable_error(architecture, problem):
    lesions, y_true = problem
    network = table_network(architecture)
    network.get_layer("logit").bias.assign([np.nan])
    with pytest.raises(InputError, match=r"loss must stay finite\. Got nan in epoch 0"):
        fitted(network, only(lesions, image=False), y_true, params())


def test_the_bar_begins_to_estimate_after_the_first_step_which_is_compiled_in_it(
    architecture, problem, monkeypatch
):
    begun = []

    class Bar(tqdm):
        def unpause(self):
            begun.append(self.n)
            super().unpause()

    monkeypatch.setattr(fitting, "tqdm", Bar)
    fitted(
        table_network(architecture), only(problem[0], image=False), problem[1], params(n_epochs=2)
    )

    assert begun == [0]


def test_an_unreadable_tile_is_an_error_that_names_the_lesion(architecture, problem):
    lesions, y_true = problem
    del lesions.store.brightness["ISIC_0000007"]
    with pytest.raises(InputError, match=r"^ISIC_0000007: it has no tile in memory\.$") as caught:
        fitted(model.build(architecture()), lesions, y_true, params())

    assert caught.value.__suppress_context__


def test_exhausted_memory_is_not_taken_for_an_error_of_the_data(architecture, problem, monkeypatch):
    def fit(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "out of memory")

    lesions, y_true = problem
    monkeypatch.setattr("keras.Model.fit", fit)
    with pytest.raises(tf.errors.ResourceExhaustedError, match="out of memory"):
        fitted(table_network(architecture), only(lesions, image=False), y_true, params())


# === Stopped, and gone on ===


class StopError(Exception):
    """A training's process has died."""


class Stopping:
    """A checkpoint whose process dies as soon as so many epochs are kept."""

    def __init__(self, folder, n_epochs: int | None = None) -> None:
        self.said: list[str] = []
        self.kept, self.n_epochs = checkpoint.Checkpoint(folder, "key", self.said.append), n_epochs
        self.say, self.restore = self.kept.say, self.kept.restore

    def save(self, progress, logits) -> None:
        self.kept.save(progress, logits)
        if len(progress.logged) == self.n_epochs:
            raise StopError


@pytest.fixture
def attempt(architecture, problem, tmp_path):
    """Train from anew, with what a folder of checkpoints holds; stop after so many epochs."""
    lesions, y_true = problem

    def run(*, after=None, folder="kept", seed=0, network_p=None, precision="float32", **changes):
        backend.start(backend.Params(backend="tensorflow", precision=precision, seed=seed))
        network = model.build(architecture(**network_p or {"backbone": "none"}))
        stopping = Stopping(tmp_path / folder, after)
        given = lesions if "image" in network.input else only(lesions, image=False)
        options = {"checkpoint": stopping, "augmentation_p": augmentation(horizontal_flip=0.5)}
        if after:
            with pytest.raises(StopError):
                fitted(network, given, y_true, params(**changes), **options)
            return None
        best, logged = fitted(network, given, y_true, params(**changes), **options)
        content = (tmp_path / folder / "key.npz").read_bytes()
        return network.get_weights(), logged, best.epoch, best.values, content, stopping.said

    yield run
    keras.mixed_precision.set_dtype_policy("float32")


def assert_equal(found, expected) -> None:
    """Compare what `attempt` returns to the bit: weights, log, best epoch, the whole state."""
    for one, two in zip(found[0], expected[0], strict=True):
        assert np.array_equal(one, two)
    assert found[1:5] == expected[1:5]


def recorded(monkeypatch, network):
    """Note the weights at each validation."""
    seen, real = [], metrics.partial_auc

    def partial_auc(*args):
        seen.append(network.get_weights())
        return real(*args)

    monkeypatch.setattr("skinlesion.metrics.partial_auc", partial_auc)
    return seen


def equal(one, two) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_the_last_epoch_is_kept_where_it_is_asked_for(architecture, problem, monkeypatch):
    lesions, y_true = problem
    paucs = iter([0.1, 0.15, 0.12])
    monkeypatch.setattr("skinlesion.metrics.partial_auc", lambda *_: next(paucs))
    p = params(select="last")
    best, logged = fitted(table_network(architecture), only(lesions, image=False), y_true, p)

    assert (best.epoch, best.values) == (2, logged[2])
    assert best.summary(p).startswith("last epoch 3 of 3, validation pAUC 0.1200")


def test_averages_are_what_is_validated_and_kept(architecture, problem, monkeypatch):
    lesions, y_true = problem
    lesions, start = only(lesions, image=False), table_network(architecture).get_weights()
    found = []
    for momentum in (None, 0.9):
        network = table_network(architecture)
        network.set_weights(start)
        seen = recorded(monkeypatch, network)
        p = params(average_momentum=momentum, select="last", weight_decay=0.0)
        best, _ = fitted(network, lesions, y_true, p)
        scores = model.apply(
            model.logits_of(network).predict_on_batch,
            batches.select(lesions, np.arange(2 * N // 3, N)),
            batch_size=7,
        )

        assert equal(network.get_weights(), seen[-1])
        assert best.values["validation/auc"] == metrics.auc(y_true[2 * N // 3 :], scores)
        found.append(seen)
    steps, averages = found

    assert not equal(steps[-1], averages[-1])
    for first, last, average in zip(start, steps[-1], averages[-1], strict=True):
        moved = np.linalg.norm(average - first), np.linalg.norm(last - first)
        assert 0.1 * moved[1] < moved[0] < moved[1]  # behind, and on the same way


def normalisations(backbone) -> list[keras.layers.BatchNormalization]:
    layers = backbone._flatten_layers()
    kind = keras.layers.BatchNormalization
    return [layer for layer in layers if isinstance(layer, kind) and layer.weights]


def test_a_frozen_backbone_learns_later_but_for_frozen_normalisation(
    architecture, problem, monkeypatch
):
    lesions, y_true = problem
    network = model.build(architecture(n_features=0))
    backbone = network.get_layer("backbone")
    start, n = network.get_weights(), len(backbone.weights)
    still = [layer.get_weights() for layer in normalisations(backbone)]
    seen = recorded(monkeypatch, network)
    p = params(frozen_epochs=1, n_epochs=2, batch_norm="frozen", select="last")
    fitted(network, only(lesions, tabular=False), y_true, p)

    assert equal(seen[0][:n], start[:n])
    assert not any(np.array_equal(a, b) for a, b in zip(seen[0][n:], start[n:], strict=True))
    assert not equal(seen[1][:n], seen[0][:n])
    for layer, weights in zip(normalisations(backbone), still, strict=True):
        assert equal(layer.get_weights(), weights)


WITH_TILES = {"image_dropout": 0.3, "tabular_dropout": 0.3}
TABLE = {"backbone": "none", "tabular_dropout": 0.3}
RECIPE = {"average_momentum": 0.9, "backbone_rate": 0.1, "frozen_epochs": 2, "batch_norm": "frozen"}


@pytest.mark.parametrize(
    ("network_p", "precision", "stops", "recipe"),
    [
        (WITH_TILES, "float32", [1], {}),
        (TABLE, "float32", [1, 2, 4], {}),
        (TABLE, "mixed_float16", [2], {}),
        (WITH_TILES, "float32", [1, 2, 3], RECIPE),
        (TABLE, "mixed_float16", [3], {"average_momentum": 0.9}),
    ],
)
def test_a_stopped_training_resumes_to_the_same_bits(attempt, network_p, precision, stops, recipe):
    given = {"network_p": network_p, "precision": precision, "n_epochs": 4, "warmup_epochs": 1.5}
    given |= recipe
    expected = attempt(folder="never stopped", **given)
    for n_before, n_epochs in enumerate(stops):
        attempt(after=n_epochs, seed=n_before, **given)  # only the first's seed may count
    found = attempt(seed=9, **given)

    assert_equal(found, expected)
    assert found[-1] == [f"resumes after epoch {stops[-1]} of 4"]
    assert expected[-1] == []


@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_patience_counts_the_epochs_before_a_stop(attempt, monkeypatch, after):
    paucs = {0: 0.1, 1: 0.15, 2: 0.12, 3: 0.15, 4: 0.2, 5: 0.3}  # by epoch
    given = {"n_epochs": 6, "early_stopping_patience": 2}

    def run(n_done: int, **options):
        values = iter([paucs[epoch] for epoch in range(n_done, 6)])
        monkeypatch.setattr("skinlesion.metrics.partial_auc", lambda *_: next(values))
        return attempt(**given, **options)

    expected = run(0, folder="never stopped")
    run(0, after=after)
    found = run(after)

    assert len(found[1]) == 4
    assert found[2] == 1
    assert_equal(found, expected)


def test_a_training_that_had_ended_takes_no_further_step(attempt, monkeypatch):
    expected = attempt()
    monkeypatch.setattr("keras.Model.fit", None)  # cannot be called

    assert_equal(attempt(), expected)


def test_a_checkpoint_changes_nothing(attempt, architecture, problem):
    weights, logged, *_ = attempt()
    backend.start(backend.Params(backend="tensorflow", precision="float32", seed=0))
    network = table_network(architecture)
    lesions, y_true = problem
    _, without = fitted(network, only(lesions, image=False), y_true, params())

    assert logged == without
    assert all(np.array_equal(a, b) for a, b in zip(weights, network.get_weights(), strict=True))


def test_a_disk_that_fills_up_stops_no_training(attempt, monkeypatch):
    def fsync(_):
        raise OSError("no space left")

    expected = attempt(folder="never full")
    attempt(after=1)
    with monkeypatch.context() as full:
        full.setattr(atomic, "os", changed(os, fsync=fsync))
        weights, logged, *_, said = attempt()

    assert all(np.array_equal(a, b) for a, b in zip(weights, expected[0], strict=True))
    assert logged == expected[1]
    assert said[0] == "resumes after epoch 1 of 3"
    assert [line.split(" (")[0] for line in said[1:]] == [
        "epoch 2 is not kept",
        "epoch 3 is not kept",
    ]
    assert_equal(attempt(), expected)  # from epoch 1, which the full disk still held


# === The log ===
