"""derivation.tile_colour: 21 colour numbers of a tile, whichever way it is turned."""

import numpy as np
import pytest

from skinlesion.derivation import tile_colour

NAMES = tile_colour.NAMES


def drawn(seed: int = 0, px: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (px, px, 3), np.uint8)


def named(tile: np.ndarray) -> dict[str, float]:
    return dict(zip(NAMES, tile_colour.measure(tile), strict=True))


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((0, 0, 0), (0, 0, 0)),
        ((255, 255, 255), (100, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
    ],
)
def test_lab_is_that_of_the_standard(rgb, lab):
    tile = np.full((1, 1, 3), rgb, np.uint8)
    np.testing.assert_allclose(tile_colour.lab(tile)[:, 0, 0], lab, atol=0.02)


def test_there_are_21_different_names_and_as_many_numbers():
    assert len(set(NAMES)) == 21 == len(tile_colour.measure(drawn()))


@pytest.mark.parametrize("turned", [np.flipud, np.fliplr, np.rot90, lambda t: np.rot90(t, 2)])
@pytest.mark.parametrize("px", [63, 64])
def test_turns_and_reflections_change_nothing(turned, px):
    tile = drawn(px=px)
    np.testing.assert_allclose(
        tile_colour.measure(np.ascontiguousarray(turned(tile))), tile_colour.measure(tile)
    )


def test_a_tile_of_one_colour_has_no_spread_and_no_difference():
    found = named(np.full((64, 64, 3), (200, 150, 120), np.uint8))
    for name, value in found.items():
        if name.endswith(("_sd", "difference")):
            assert value == pytest.approx(0, abs=1e-9)


def test_a_dark_middle_has_a_negative_difference_of_lightness():
    tile = np.full((64, 64, 3), 200, np.uint8)
    tile[tile_colour.regions(64)[0]] = 100
    found = named(tile)
    assert found["tile_l_difference"] == pytest.approx(
        found["tile_l_middle_mean"] - found["tile_l_rim_mean"]
    )
    assert found["tile_l_difference"] < -30


def test_middle_and_rim_do_not_touch():
    middle, rim = tile_colour.regions(64)
    assert middle.any()
    assert rim.any()
    assert not (middle & rim).any()
