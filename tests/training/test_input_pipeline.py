"""training.input_pipeline: an epoch depends on its seed alone, however often it is read."""

import numpy as np
import pytest
import tensorflow as tf
from tests.augmentations import augmentation

from skinlesion.dataset import batches, images
from skinlesion.dataset.sharding import Shard
from skinlesion.network import augment
from skinlesion.training import distribution
from skinlesion.training.input_pipeline import InputPipeline

pytestmark = pytest.mark.usefixtures("keras_started")

N = 21
IDS = np.array([f"ISIC_{i:07d}" for i in range(N)])


@pytest.fixture
def lesions(solid_tiles):
    """Lesion i has a tile of brightness 10 i, and the feature i."""
    tiles = solid_tiles({isic_id: 10 * i for i, isic_id in enumerate(IDS)})
    return batches.Lesions(IDS, np.arange(N, dtype=np.float32)[:, None], tiles, image_px=32)


@pytest.fixture
def data(lesions):
    rows = np.arange(N)
    return batches.Training(lesions, rows, (rows % 2).astype(np.float32), 1 + rows / 100)


def feed(lesions, *, seed: int = 3, **rates: float) -> InputPipeline:
    return InputPipeline(lesions, batch_size=4, seed=seed, augmentation=augmentation(**rates))


def batches_of(dataset: tf.data.Dataset) -> list:
    return list(dataset.as_numpy_iterator())


def test_an_epoch_is_that_of_batches_with_targets_as_a_column(lesions, data):
    found = batches_of(feed(lesions).epoch(data, epoch=2))
    expected = list(batches.training(data, batch_size=4, seed=3, epoch=2))

    assert len(found) == feed(lesions).n_batches(data) == len(expected)
    for (inputs, y_true, weight), (read, y_read, weight_read) in zip(found, expected, strict=True):
        assert inputs["image"].dtype == np.float32
        assert np.array_equal(inputs["image"], read["image"])
        assert np.array_equal(inputs["tabular"], read["tabular"])
        assert np.array_equal(y_true, y_read[:, None])
        np.testing.assert_allclose(weight, weight_read)


def test_an_epoch_is_the_same_each_time_and_in_whatever_order_epochs_are_made(lesions, data):
    one, other = (feed(lesions, brightness=0.5, rotation=0.5) for _ in range(2))
    first = batches_of(one.epoch(data, epoch=0)), batches_of(one.epoch(data, epoch=1))
    second = other.epoch(data, epoch=1)
    next(iter(second))  # as Keras does, to build the network
    again = batches_of(other.epoch(data, epoch=0)), batches_of(second)

    for a, b in zip(first, again, strict=True):
        assert all(np.array_equal(x[0]["image"], y[0]["image"]) for x, y in zip(a, b, strict=True))


@pytest.fixture
def alike(solid_tiles):
    """Lesions of one tile: what differs between two slots is the augmentation, in any order."""
    rows = np.arange(N)
    lesions = batches.Lesions(IDS, np.zeros((N, 0), "f4"), solid_tiles(dict.fromkeys(IDS, 100)), 32)
    return batches.Training(lesions, rows, np.zeros(N, np.float32), np.ones(N, np.float32))


def parts_of(alike, *, epoch: int = 0, seed: int = 3) -> list[np.ndarray]:
    """The tiles of each batch, slot by slot."""
    made = feed(alike.lesions, seed=seed, brightness=1.0).epoch(alike, epoch=epoch)
    return [inputs["image"] for inputs, _, _ in batches_of(made)]


@pytest.mark.parametrize("other", [{"epoch": 1}, {"seed": 4}])
def test_another_epoch_or_seed_augments_otherwise(alike, other):
    one, again, another = parts_of(alike), parts_of(alike), parts_of(alike, **other)

    assert np.array_equal(np.concatenate(one), np.concatenate(again))
    for part, changed in zip(one, another, strict=True):
        assert not np.isclose(part, changed).all(axis=(1, 2, 3)).any()


def test_no_two_batches_are_augmented_alike_nor_the_parts_of_two_processes(alike, monkeypatch):
    parts = []
    for process in (0, 1):
        shard = Shard(n_devices=2, n_processes=2, process_index=process)
        monkeypatch.setattr(distribution, "current", lambda shard=shard: shard)
        parts += parts_of(alike)

    assert len(parts) == 2 * 6
    assert len({part[0].tobytes() for part in parts}) == len(parts)


@pytest.mark.parametrize("shard", [Shard(), Shard(3, 3, 1), Shard(3, 1)])
def test_the_size_of_a_batch_is_known_before_there_is_one(lesions, data, monkeypatch, shard):
    """A network that must find its shapes in each step trains a fifth slower."""
    monkeypatch.setattr(distribution, "current", lambda: shard)
    made = feed(lesions, quarter_turn=0.5, brightness=0.5, rotation=0.5)
    inputs, y_true, weight = made.epoch(data, epoch=0).element_spec
    n = shard.per_process(4)

    assert inputs["image"].shape == (n, 32, 32, 3)
    assert inputs["tabular"].shape == (n, 1)
    assert y_true.shape == (n, 1)
    assert weight.shape == (n,)


def test_the_augmentation_is_traced_once_for_all_epochs(lesions, data, monkeypatch):
    traced, pipeline = [], augment.pipeline

    def counting(p):
        change = pipeline(p)
        return lambda images, seed: traced.append(1) or change(images, seed)

    monkeypatch.setattr(augment, "pipeline", counting)
    one = feed(lesions, brightness=0.5)
    for epoch in range(3):
        batches_of(one.epoch(data, epoch=epoch))

    assert len(traced) == 1


def test_a_tile_that_cannot_be_read_ends_the_epoch_and_is_remembered(lesions, data):
    del lesions.store.brightness[IDS[5]]
    one = feed(lesions)
    with pytest.raises(tf.errors.OpError):
        batches_of(one.epoch(data, epoch=0))

    assert isinstance(one.failure, images.ImageError)
    assert "ISIC_0000005: it has no tile in memory" in str(one.failure)


@pytest.mark.parametrize("left_out", ["image", "tabular"])
def test_an_input_that_the_lesions_lack_is_left_out(lesions, left_out):
    some = batches.Lesions(
        IDS,
        lesions.tabular[:, : int(left_out != "tabular")],
        lesions.store if left_out != "image" else None,
        image_px=32,
    )
    data = batches.Training(some, np.arange(4), np.zeros(4, np.float32), np.ones(4, np.float32))
    [(inputs, _, _)] = batches_of(feed(some, quarter_turn=0.5).epoch(data, epoch=0))

    assert inputs.keys() == {"image", "tabular"} - {left_out}


def test_lesions_are_mixed_after_their_augmentation_with_table_and_target(lesions, data):
    plain = batches_of(feed(lesions).epoch(data, epoch=1))
    mixed = batches_of(feed(lesions, mixup=1.0).epoch(data, epoch=1))
    again = batches_of(feed(lesions, mixup=1.0).epoch(data, epoch=1))

    assert len(plain) == len(mixed)
    for one, two, three in zip(plain, mixed, again, strict=True):
        tabular, tile = two[0]["tabular"][:, 0], two[0]["image"][:, 0, 0, 0]
        assert not np.allclose(tabular, one[0]["tabular"][:, 0])
        np.testing.assert_allclose(tile, 10 * tabular, rtol=1e-4, atol=1e-3)
        assert two[1].shape == one[1].shape
        assert (two[2] >= 0).all()
        assert all(np.array_equal(two[i], three[i]) for i in (1, 2))
