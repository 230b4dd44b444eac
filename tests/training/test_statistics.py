"""training.statistics: averaged weights are normalised by statistics of their own."""

import keras
import numpy as np
import pytest
from tests.augmentations import augmentation
from tests.recipes import params

from skinlesion.dataset import batches
from skinlesion.network import model
from skinlesion.training import fitting, fold, phases, statistics

pytestmark = pytest.mark.usefixtures("keras_started")

N = 24


@pytest.fixture
def lesions(solid_tiles):
    rng = np.random.default_rng(0)
    ids = np.array([f"ISIC_{i:07d}" for i in range(N)])
    tiles = solid_tiles(dict(zip(ids, rng.integers(0, 255, N).tolist(), strict=True)))
    return batches.Lesions(ids, np.empty((N, 0), np.float32), tiles, image_px=32)


@pytest.fixture
def network(architecture):
    return model.build(architecture(n_features=0))


def first_layer(network: keras.Model) -> tuple[keras.layers.Layer, keras.Model]:
    """The first normalisation, and what gives it its input."""
    backbone = network.get_layer("backbone")
    return backbone.get_layer("stem_bn"), keras.Model(
        backbone.input, backbone.get_layer("stem_conv").output
    )


def inputs_of(lesions: batches.Lesions) -> list[dict[str, np.ndarray]]:
    size = min(statistics.BATCH_SIZE, len(lesions))
    return [inputs for inputs, _ in batches.scoring(lesions, batch_size=size)]


def test_they_are_those_of_the_lesions_in_the_mean_of_their_batches(network, lesions, monkeypatch):
    monkeypatch.setattr(statistics, "BATCH_SIZE", 8)
    normalised, before = first_layer(network)
    seen = [
        before.predict(given["image"].astype(np.float32), verbose=0) for given in inputs_of(lesions)
    ]
    logits = model.logits_of(network)
    with statistics.estimated(logits, lesions):
        mean = keras.ops.convert_to_numpy(normalised.moving_mean)
        variance = keras.ops.convert_to_numpy(normalised.moving_variance)

    assert len(seen) == 3
    np.testing.assert_allclose(mean, np.mean([s.mean((0, 1, 2)) for s in seen], 0), atol=1e-4)
    expected = np.mean([s.var((0, 1, 2)) for s in seen], 0)
    np.testing.assert_allclose(variance, expected, rtol=1e-3, atol=1e-5)


def test_afterwards_all_is_as_it_was(network, lesions):
    logits = model.logits_of(network)
    before = [np.array(v) for v in map(keras.ops.convert_to_numpy, logits.variables)]
    with statistics.estimated(logits, lesions):
        pass
    for variable, value in zip(logits.variables, before, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), value)
    layers = list(logits._flatten_layers())
    assert {of.momentum for of in layers if isinstance(of, keras.layers.BatchNormalization)} == {
        0.9
    }
    assert max(of.rate for of in layers if isinstance(of, keras.layers.Dropout)) > 0


def test_frozen_layers_keep_theirs(network, lesions):
    normalised, _ = first_layer(network)
    normalised.trainable = False
    before = np.array(keras.ops.convert_to_numpy(normalised.moving_mean))
    with statistics.estimated(model.logits_of(network), lesions):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(normalised.moving_mean), before)


def test_lesions_count_once_and_come_in_whole_batches(lesions, monkeypatch):
    rows = np.repeat(np.arange(N - 2), 3)
    drawn = batches.Training(lesions, rows, np.zeros(len(rows)), np.ones(len(rows)))
    few = statistics.sample(drawn, seed=1)
    assert sorted(few.isic_ids) == sorted(lesions.isic_ids[: N - 2])
    monkeypatch.setattr(statistics, "BATCH_SIZE", 8)
    assert len(statistics.sample(drawn, seed=1)) == 16
    assert list(statistics.sample(drawn, seed=1).isic_ids) != list(few.isic_ids[:0])
    monkeypatch.setattr(statistics, "N_LESIONS", 8)
    one, other = (statistics.sample(drawn, seed=seed).isic_ids.tolist() for seed in (1, 2))
    assert one != other
    assert one == statistics.sample(drawn, seed=1).isic_ids.tolist()


@pytest.mark.parametrize("momentum", [None, 0.9])
def test_a_fit_keeps_averaged_weights_with_their_own(network, lesions, momentum):
    y_true = (np.arange(N) % 2).astype(np.float32)
    epoch = batches.Training(lesions, np.arange(N), y_true, np.ones(N, np.float32))
    examples = fold.Examples(
        [epoch], fold.Validation(lesions, y_true.astype(int), 0.0), np.arange(N)
    )
    p = params(n_epochs=2, batch_size=8, average_momentum=momentum, select="last")
    recipe = phases.Recipe(train=p, augment=augmentation())
    fitting.fit(network, examples, recipe, log=lambda epoch, values: None)

    normalised, before = first_layer(network)
    seen = before.predict(inputs_of(lesions)[0]["image"].astype(np.float32), verbose=0)
    own = keras.ops.convert_to_numpy(normalised.moving_mean)
    assert np.allclose(own, seen.mean((0, 1, 2)), atol=1e-3) == (momentum is not None)
