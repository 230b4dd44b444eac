"""network.mixup: inputs, targets and weights are mixed alike."""

import numpy as np
import pytest
import tensorflow as tf

from skinlesion.network import augment, mixup

N = 64
RNG = np.random.default_rng(0)
INPUTS = {
    "image": RNG.uniform(0, 255, (N, 4, 4, 3)).astype(np.float32),
    "tabular": RNG.normal(size=(N, 2)).astype(np.float32),
}
Y = (np.arange(N) % 3 == 0).astype(np.float32)
WEIGHT = RNG.uniform(0.5, 2, N).astype(np.float32)


def mixed(rate=1.0, alpha=0.5, seed=(1, 2), weight=WEIGHT, y=Y):
    batch = ({k: tf.constant(v) for k, v in INPUTS.items()}, tf.constant(y), tf.constant(weight))
    p = augment.Mixup(rate=rate, alpha=alpha)
    inputs, target, total = mixup.mixed(batch, p, tf.constant(seed))
    return {k: np.asarray(v) for k, v in inputs.items()}, np.asarray(target), np.asarray(total)


def parts(found: np.ndarray) -> np.ndarray:
    """The part of each tile that is its own; all its pixels must agree."""
    own, other = INPUTS["image"], np.roll(INPUTS["image"], 1, 0)
    part = ((found - other) / (own - other)).reshape(N, -1)
    np.testing.assert_allclose(part, np.repeat(np.median(part, 1)[:, None], 48, 1), atol=0.05)
    return np.median(part, 1)


def test_all_of_a_lesion_is_mixed_in_the_same_part():
    inputs, target, total = mixed()
    part = parts(inputs["image"])
    expected = part * WEIGHT + (1 - part) * np.roll(WEIGHT, 1)
    table = part[:, None] * INPUTS["tabular"] + (1 - part)[:, None] * np.roll(
        INPUTS["tabular"], 1, 0
    )

    np.testing.assert_allclose(inputs["tabular"], table, atol=1e-3)
    np.testing.assert_allclose(total, expected, atol=1e-3)
    np.testing.assert_allclose(
        total * target, part * WEIGHT * Y + (1 - part) * np.roll(WEIGHT * Y, 1), atol=1e-3
    )
    assert ((target >= 0) & (target <= 1)).all()
    assert part.min() >= -1e-3
    assert part.max() <= 1 + 1e-3


def test_the_loss_of_a_mixture_is_that_of_its_lesions_in_their_parts():
    logits = RNG.normal(size=N)
    loss = lambda y: np.logaddexp(0, logits) - y * logits  # noqa: E731
    inputs, target, total = mixed()
    part = parts(inputs["image"])
    expected = part * WEIGHT * loss(Y) + (1 - part) * np.roll(WEIGHT, 1) * loss(np.roll(Y, 1))

    np.testing.assert_allclose(total * loss(target), expected, atol=1e-2)


@pytest.mark.parametrize("rate", [0.25, 1.0])
def test_a_share_of_the_lesions_is_mixed(rate):
    inputs, _, _ = mixed(rate=rate, alpha=5.0)
    same = np.isclose(inputs["image"], INPUTS["image"], atol=1e-3).all((1, 2, 3))

    assert (~same).mean() == pytest.approx(rate, abs=0.15)


def test_a_small_alpha_leaves_one_of_the_two_and_a_large_one_half_of_each():
    few, many = (parts(mixed(alpha=alpha)[0]["image"]) for alpha in (0.01, 1000.0))

    assert np.minimum(few, 1 - few).mean() < 0.05
    assert np.abs(many - 0.5).max() < 0.1


def test_what_is_drawn_depends_on_the_seed_alone():
    one, same, other = (mixed(seed=seed)[1] for seed in ((1, 2), (1, 2), (1, 3)))

    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_two_lesions_without_weight_make_one_without():
    _, target, total = mixed(weight=np.zeros(N, np.float32))

    assert not total.any()
    assert np.isfinite(target).all()


def test_several_targets_are_mixed_alike_and_one_that_is_not_known_spoils_none_that_is():
    known = RNG.normal(size=N).astype(np.float32)
    gaps = np.where(np.arange(N) % 4 == 0, np.nan, known).astype(np.float32)
    inputs, target, total = mixed(rate=0.5, y=np.column_stack([Y, gaps]))
    _, alone, _ = mixed(rate=0.5)
    part = parts(inputs["image"])
    is_whole = part > 0.999
    mixture = part * WEIGHT * gaps + (1 - part) * np.roll(WEIGHT * gaps, 1)

    np.testing.assert_array_equal(target[:, 0], alone)
    np.testing.assert_array_equal(np.isnan(target[is_whole, 1]), np.isnan(gaps[is_whole]))
    np.testing.assert_allclose((total * target[:, 1])[~is_whole], mixture[~is_whole], atol=1e-2)
