"""network.pooling: averages over a tile, in which its middle may count for more."""

import keras
import numpy as np
import pytest

from skinlesion.network import pooling

SHAPES = (8, 8, 3), (4, 4, 5)


def run(maps: list[np.ndarray], sigma: float | None) -> np.ndarray:
    inputs = [keras.Input(of.shape[1:]) for of in maps]
    pooled = pooling.pooled(inputs if len(inputs) > 1 else inputs[0], sigma=sigma)
    return np.asarray(keras.Model(inputs, pooled)([of.astype(np.float32) for of in maps]))


@pytest.fixture
def maps() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(6, *shape)) for shape in SHAPES]


def test_without_a_sigma_all_places_count_alike(maps):
    expected = np.hstack([of.mean((1, 2)) for of in maps])

    np.testing.assert_allclose(run(maps, None), expected, atol=1e-6)


@pytest.mark.parametrize("sigma", [0.1, 0.3, 2.0])
def test_places_count_by_their_distance_from_the_centre(maps, sigma):
    expected = []
    for of in maps:
        n = of.shape[1]
        place = (np.arange(n) + 0.5) / n * 2 - 1  # -1 and 1 are the edges of the tile
        weight = np.exp(-(place[:, None] ** 2 + place**2) / (2 * sigma**2))
        expected.append(np.average(of.reshape(6, n * n, -1), axis=1, weights=weight.ravel()))

    np.testing.assert_allclose(run(maps, sigma), np.hstack(expected), rtol=1e-4, atol=1e-5)


def test_one_stage_is_pooled_as_it_is_among_several(maps):
    np.testing.assert_array_equal(run(maps[:1], 0.3), run(maps, 0.3)[:, : SHAPES[0][2]])


def test_a_constant_stays_what_it_is_and_the_rim_fades_as_sigma_falls():
    rim = np.ones((1, 8, 8, 1))
    rim[:, 2:6, 2:6] = 0
    shares = [run([rim], sigma).item() for sigma in (0.2, 0.4, 1.0, 10.0)]

    assert run([np.ones((1, 8, 8, 1))], 0.3).item() == pytest.approx(1, abs=1e-6)
    assert shares == sorted(shares)
    assert shares[0] < shares[-1] / 10
    assert shares[-1] == pytest.approx(rim.mean(), rel=0.01)


@pytest.mark.parametrize("n", [2, 5, 8])
def test_turning_or_mirroring_a_tile_changes_no_weight(n):
    weights = pooling.weights(n, n, 0.3)

    np.testing.assert_array_equal(weights, np.rot90(weights))
    np.testing.assert_array_equal(weights, weights[::-1])
