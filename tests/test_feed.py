"""skinlesion.feed: an epoch is what its seed says, whoever iterates over it and however often."""

import numpy as np
import pytest
import tensorflow as tf

from skinlesion import augment, batches, images
from skinlesion.feed import Feed

pytestmark = pytest.mark.usefixtures("keras_started")

N = 21
IDS = np.array([f"ISIC_{i:07d}" for i in range(N)])
STRENGTHS = {
    "horizontal_flip": {},
    "vertical_flip": {},
    "quarter_turn": {},
    "rotation": {"max_degrees": 15.0},
    "zoom": {"max_change": 0.1},
    "brightness": {"max_change": 0.1},
    "contrast": {"max_change": 0.1},
    "saturation": {"max_change": 0.1},
    "hue": {"max_change": 0.1},
    "cutout": {"max_change": 0.1},
}


def augmentation(**rates: float) -> augment.Params:
    return augment.Params(
        **{name: {"rate": rates.get(name, 0.0)} | of for name, of in STRENGTHS.items()}
    )


@pytest.fixture
def lesions(solid_tiles):
    """Lesion i has a tile of brightness 10 i, and the feature i."""
    tiles = solid_tiles({isic_id: 10 * i for i, isic_id in enumerate(IDS)})
    return batches.Lesions(IDS, np.arange(N, dtype=np.float32)[:, None], tiles, image_px=32)


@pytest.fixture
def data(lesions):
    rows = np.arange(N)
    return batches.Training(lesions, rows, (rows % 2).astype(np.float32), 1 + rows / 100)


def feed(lesions, *, seed: int = 3, **rates: float) -> Feed:
    return Feed(lesions, batch_size=4, seed=seed, augmentation=augmentation(**rates))


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


def images_by_lesion(epoch: list) -> np.ndarray:
    rows = np.concatenate([inputs["tabular"][:, 0] for inputs, _, _ in epoch]).astype(int)
    return np.concatenate([inputs["image"] for inputs, _, _ in epoch])[np.argsort(rows)]


@pytest.mark.parametrize("other", [{"epoch": 1}, {"seed": 4}])
def test_another_epoch_or_seed_augments_otherwise(lesions, data, other):
    made = {"epoch": 0, "seed": 3} | other
    one = batches_of(feed(lesions, brightness=1.0).epoch(data, epoch=0))
    another = feed(lesions, seed=made["seed"], brightness=1.0).epoch(data, epoch=made["epoch"])

    assert not np.allclose(images_by_lesion(one), images_by_lesion(batches_of(another)))


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
