"""network.augment: each change does what its name says, as a function of the seed alone."""

import numpy as np
import pytest
import tensorflow as tf
from tests.augmentations import STRENGTHS, augmentation

from skinlesion.network import augment

OF_TILES = [name for name in STRENGTHS if name != "mixup"]  # mixup.py mixes batches

pytestmark = pytest.mark.usefixtures("keras_started")

SEED = np.array([11, 3])


def augmented(images: np.ndarray, seed: np.ndarray = SEED, **rates: float) -> np.ndarray:
    return augment.pipeline(augmentation(**rates))(images, seed).numpy()


def altered(images: np.ndarray, changed: np.ndarray) -> np.ndarray:
    return (np.abs(images - changed) > 1e-3).any(axis=(1, 2, 3))


@pytest.fixture
def images():
    """Far enough from 0 and 255 that no change is clipped."""
    return np.random.default_rng(0).uniform(80, 170, (24, 16, 16, 3)).astype(np.float32)


def test_with_all_rates_0_nothing_is_changed(images):
    assert np.array_equal(augmented(images), images)


def test_a_change_of_rate_0_is_not_even_computed(images, monkeypatch):
    monkeypatch.setattr(augment, "_sometimes", None)

    assert np.array_equal(augmented(images), images)


@pytest.mark.parametrize("name", OF_TILES)
def test_a_change_of_rate_1_alters_every_tile_and_keeps_shape_and_type(images, name):
    changed = augmented(images, **{name: 1.0})

    assert altered(images, changed).mean() > 0.95  # a hole or a shift may round to nothing
    assert (changed.shape, changed.dtype) == (images.shape, images.dtype)


@pytest.mark.parametrize("name", OF_TILES)
def test_a_change_of_rate_one_half_alters_about_half_of_the_tiles(images, name):
    many = np.concatenate([images] * 8)
    share = altered(many, augmented(many, **{name: 0.5})).mean()

    assert 0.38 < share < 0.62


def test_a_batch_of_which_no_tile_is_chosen_is_left_as_it_is(images):
    change = augment.pipeline(augmentation(**dict.fromkeys(STRENGTHS, 1e-6)))

    assert np.array_equal(change(images, SEED).numpy(), images)


def test_tiles_may_come_as_they_are_decoded(images):
    rates, decoded = dict.fromkeys(STRENGTHS, 0.5), images.astype(np.uint8)
    changed = augmented(decoded, **rates)

    assert changed.dtype == np.float32
    assert np.array_equal(changed, augmented(decoded.astype(np.float32), **rates))


@pytest.mark.parametrize("name", OF_TILES)
def test_what_is_done_to_a_tile_depends_on_the_seed(images, name):
    rate = {name: 0.5}

    assert np.array_equal(augmented(images, **rate), augmented(images, **rate))
    for other in ([11, 4], [12, 3]):
        assert not np.array_equal(augmented(images, **rate), augmented(images, other, **rate))


def test_extreme_tiles_stay_between_0_and_255():
    tiles = np.zeros((16, 16, 16, 3), np.float32)
    tiles[::2] = 255
    tiles[:, 4:8, :, 0] = 128
    changed = augmented(tiles, **dict.fromkeys(STRENGTHS, 1.0))

    assert changed.min() >= 0
    assert changed.max() <= 255


def test_all_changes_together_are_the_same_in_a_data_pipeline(images):
    change = augment.pipeline(augmentation(**dict.fromkeys(STRENGTHS, 0.5)))
    batches = tf.data.Dataset.from_tensors(images).repeat(3).enumerate()
    mapped = batches.map(lambda i, batch: change(batch, tf.stack([tf.constant(11, tf.int64), i])))
    expected = [change(images, [11, i]).numpy() for i in range(3)]

    for i, found in enumerate(mapped.as_numpy_iterator()):
        np.testing.assert_allclose(found, expected[i], atol=1e-2)


def test_an_iterator_that_ran_ahead_changes_nothing(images):
    change = augment.pipeline(augmentation(**dict.fromkeys(STRENGTHS, 0.5)))
    batches = tf.data.Dataset.from_tensors(images).repeat(3).enumerate()
    mapped = batches.map(lambda i, batch: change(batch, tf.stack([tf.constant(11, tf.int64), i])))
    mapped = mapped.prefetch(2)
    next(iter(mapped))
    first, second = list(mapped.as_numpy_iterator()), list(mapped.as_numpy_iterator())

    assert np.array_equal(first, second)
    assert not np.array_equal(first[0], first[1])


def test_changes_are_chosen_independently_of_each_other():
    ramp = np.zeros((200, 4, 4, 3), np.float32)
    ramp[:, 0, 0] = 100  # the corner tells which flips were made
    changed = augmented(ramp, horizontal_flip=0.5, vertical_flip=0.5)
    corners = [changed[:, y, x, 0] > 0 for y in (0, -1) for x in (0, -1)]

    assert np.sum(corners, axis=0).tolist() == [1] * 200
    assert all(30 < corner.sum() < 70 for corner in corners)


@pytest.mark.parametrize(("name", "axis"), [("horizontal_flip", 2), ("vertical_flip", 1)])
def test_a_flip_mirrors_the_pixels(images, name, axis):
    assert np.array_equal(augmented(images, **{name: 1.0}), np.flip(images, axis))


def test_a_quarter_turn_is_one_of_three_rotations(images):
    many = np.concatenate([images] * 4)
    changed = augmented(many, quarter_turn=1.0)
    turned = [np.rot90(many, k, axes=(1, 2)) for k in (1, 2, 3)]
    is_k = np.array([(changed == other).all(axis=(1, 2, 3)) for other in turned])

    assert (is_k.sum(axis=0) == 1).all()
    assert (is_k.sum(axis=1) > len(many) / 5).all()


@pytest.mark.parametrize("name", ["rotation", "zoom"])
def test_a_rotation_or_zoom_fills_its_border_from_the_tile(name):
    plain = np.full((8, 16, 16, 3), 120, np.float32)

    np.testing.assert_allclose(augmented(plain, **{name: 1.0}), plain, atol=1e-3)


def test_a_rotation_turns_by_at_most_its_angle():
    px = 33
    tiles = np.zeros((64, px, px, 3), np.float32)
    tiles[:, px // 2 - 1 : px // 2 + 2, -5:-2] = 200  # a mark to the right of the centre
    changed = augmented(tiles, rotation=1.0)[..., 0]
    y, x = np.mgrid[:px, :px] - px // 2
    mass = changed.sum(axis=(1, 2))
    angle = np.arctan2((changed * y).sum(axis=(1, 2)) / mass, (changed * x).sum(axis=(1, 2)) / mass)

    assert 20 < np.abs(np.degrees(angle)).max() < 31
    assert np.degrees(angle).min() < -10
    assert np.degrees(angle).max() > 10


def test_brightness_shifts_a_whole_tile_by_at_most_its_range(images):
    shift = augmented(images, brightness=1.0) - images

    assert np.ptp(shift, axis=(1, 2, 3)).max() < 1e-3
    assert 0.5 * 25.5 < np.abs(shift).max() <= 0.1 * 255 + 1e-3
    assert shift.min() < 0 < shift.max()


def test_contrast_keeps_the_mean_and_scales_around_it(images):
    changed = augmented(images, contrast=1.0)
    mean = images.mean(axis=(1, 2), keepdims=True)
    factor = (changed - mean) / (images - mean)
    spread = changed.std(axis=(1, 2, 3)) / images.std(axis=(1, 2, 3))

    np.testing.assert_allclose(changed.mean(axis=(1, 2)), mean[:, 0, 0], atol=1e-2)
    assert np.median(np.ptp(factor, axis=(1, 2, 3))) < 0.1
    assert 0.8 - 1e-2 < spread.min() < 0.95
    assert 1.05 < spread.max() < 1.2 + 1e-2


@pytest.mark.parametrize("name", ["saturation", "hue"])
def test_grey_tiles_have_neither_hue_nor_saturation_to_change(name):
    grey = np.random.default_rng(0).uniform(0, 255, (8, 16, 16, 1)).astype(np.float32)
    grey = np.repeat(grey, 3, axis=-1)

    np.testing.assert_allclose(augmented(grey, **{name: 1.0}), grey, atol=1e-2)


def test_saturation_keeps_the_value_and_scales_the_saturation(images):
    changed = augmented(images, saturation=1.0)
    before, after = (tf.image.rgb_to_hsv(x / 255).numpy() for x in (images, changed))
    factor = (after[..., 1] / before[..., 1]).reshape(len(images), -1)

    np.testing.assert_allclose(after[..., 2], before[..., 2], atol=1e-4)
    assert np.ptp(factor, axis=1).max() < 1e-2
    assert 0.8 - 1e-3 < factor.min() < 0.9
    assert 1.1 < factor.max() < 1.2 + 1e-3


def test_hue_turns_colours_by_at_most_its_share_of_half_the_circle(images):
    changed = augmented(images, hue=1.0)
    before, after = (tf.image.rgb_to_hsv(x / 255).numpy() for x in (images, changed))
    turned = (after[..., 0] - before[..., 0] + 0.5) % 1 - 0.5

    np.testing.assert_allclose(after[..., 1:], before[..., 1:], atol=1e-3)
    assert 0.03 < np.abs(turned).max() <= 0.05 + 1e-4
    assert turned.min() < 0 < turned.max()


def test_a_cutout_blacks_a_part_and_leaves_the_rest(images):
    many = np.concatenate([images] * 4)
    changed = augmented(many, cutout=1.0)
    black = (changed == 0).all(axis=-1)

    assert np.array_equal(changed[~black], many[~black])
    assert 0.05 < black.mean(axis=(1, 2)).max() <= STRENGTHS["cutout"]["max_change"] ** 2
