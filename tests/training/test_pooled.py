"""training.pooled: features are those of the network's layers, and computed once."""

import os

import keras
import numpy as np
import pytest
from tests.process import changed

from skinlesion.dataset import atomic, batches, images
from skinlesion.network import model
from skinlesion.training import pooled

pytestmark = pytest.mark.usefixtures("keras_started")

IDS = np.array([f"ISIC_{i}" for i in range(7)])


@pytest.fixture
def lesions(solid_tiles):
    tabular = np.random.default_rng(0).normal(size=(len(IDS), 2)).astype(np.float32)
    tiles = solid_tiles({isic_id: 30 * i for i, isic_id in enumerate(IDS)})
    return batches.Lesions(IDS, tabular, tiles, image_px=32)


@pytest.fixture
def network(architecture):
    return model.build(architecture(tabular_units=[]))


@pytest.fixture
def cache(tmp_path):
    said: list[str] = []
    return pooled.Cache(tmp_path / "kept", "abc", said.append), said


def features(network, lesions, cache=None, n_views=1) -> np.ndarray:
    return pooled.features(network, lesions, n_views=n_views, batch_size=4, cache=cache)


def test_features_are_what_the_logit_is_made_of(network, lesions):
    found = features(network, lesions)
    logits = model.apply(model.logits_of(network).predict_on_batch, lesions, batch_size=4)
    kernel, bias = network.get_layer("logit").get_weights()

    assert found.dtype == np.float32
    np.testing.assert_allclose((found @ kernel + bias)[:, 0], logits, rtol=1e-4, atol=1e-5)


def test_features_of_eight_views_are_averaged(network, lesions, monkeypatch):
    one = features(network, lesions)
    monkeypatch.setattr("skinlesion.dataset.views.of", lambda tiles, n: iter([tiles, 0 * tiles]))
    black = batches.Lesions(IDS[:1], lesions.tabular[:1], lesions.store, 32)  # of brightness 0
    half = (one + features(network, black)) / 2

    np.testing.assert_allclose(features(network, lesions, n_views=8)[:, :-2], half[:, :-2], 1e-5)


def test_a_table_alone_is_its_own_features(architecture, lesions):
    given = batches.Lesions(IDS, lesions.tabular, None, 32)
    network = model.build(architecture(backbone="none", tabular_units=[]))

    assert np.array_equal(features(network, given), lesions.tabular)


def test_what_was_kept_is_not_computed_again(network, lesions, cache, monkeypatch):
    cache, said = cache
    expected = features(network, lesions, cache)
    monkeypatch.setattr("skinlesion.dataset.batches.scoring", None)  # cannot be called
    order = [3, 0, 6]
    found = features(network, batches.select(lesions, np.array(order)), cache)

    assert np.array_equal(found, expected[order])
    assert said == []


def test_only_what_is_missing_is_computed(network, lesions, cache, monkeypatch):
    cache, _ = cache
    expected, read = features(network, lesions), []
    features(network, batches.select(lesions, np.arange(4)), cache)
    real = lesions.store.read
    monkeypatch.setattr(lesions.store, "read", lambda i: read.append(i) or real(i))
    found = features(network, lesions, cache)

    assert sorted(read) == IDS[4:].tolist()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert cache.load().isic_ids.tolist() == IDS.tolist()


def test_a_damaged_file_is_reported_and_replaced(network, lesions, cache):
    cache, said = cache
    expected = features(network, lesions, cache)
    path = cache.folder / "abc-features.npz"
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)

    assert np.array_equal(features(network, lesions, cache), expected)
    assert said == [f"{path} is damaged. Its features are computed again."]
    assert cache.load() is not None


def test_a_full_disk_is_reported(network, lesions, cache, monkeypatch):
    def fsync(_):
        raise OSError("no space left")

    cache, said = cache
    monkeypatch.setattr(atomic, "os", changed(os, fsync=fsync))
    features(network, lesions, cache)

    assert said == ["pooled features are not kept (no space left). Training continues."]
    assert cache.load() is None


def test_a_tile_that_cannot_be_read_is_an_error_that_names_it(network, lesions):
    del lesions.store.brightness["ISIC_3"]
    with pytest.raises(images.ImageError, match="ISIC_3"):
        features(network, lesions)


def test_the_network_stays_as_it_is(network, lesions):
    before = network.get_weights()
    features(network, lesions, n_views=4)

    assert all(np.array_equal(a, b) for a, b in zip(before, network.get_weights(), strict=True))
    assert isinstance(network.get_layer("logit"), keras.layers.Dense)
