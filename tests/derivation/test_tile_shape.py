"""derivation.tile_shape: measures of drawn blobs come out as geometry says."""

import numpy as np
import pytest

from skinlesion.derivation import tile_shape

PX = 64


def ellipse(a: float, b: float, angle: float = 0.0, shift: tuple = (0, 0), dark: int = 80):
    """A tile with a dark ellipse of these half axes, in pixels, on lighter skin."""
    y, x = np.indices((PX, PX)) - (PX - 1) / 2
    x, y = x - shift[0], y - shift[1]
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    tile = np.full((PX, PX, 3), 200, np.uint8)
    tile[(u / a) ** 2 + (v / b) ** 2 <= 1] = dark
    return tile


def named(tile: np.ndarray) -> dict[str, float]:
    return dict(zip(tile_shape.NAMES, tile_shape.measure(tile), strict=True))


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.2])
@pytest.mark.parametrize(("a", "b"), [(15, 15), (18, 12), (20, 10)])
def test_an_ellipse_has_its_area_and_its_eccentricity_and_is_symmetric(a, b, angle):
    found = named(ellipse(a, b, angle))
    assert found["blob_area"] == pytest.approx(np.pi * a * b / PX**2, rel=0.03)
    assert found["blob_eccentricity"] == pytest.approx(np.sqrt(1 - (b / a) ** 2), abs=0.12)
    assert found["blob_asymmetry"] < 0.03
    assert found["blob_distance"] < 0.01


def test_a_circle_has_the_smoothest_border_and_a_star_a_ragged_one():
    y, x = np.indices((PX, PX)) - (PX - 1) / 2
    star = np.full((PX, PX, 3), 200, np.uint8)
    star[np.hypot(x, y) < 15 + 6 * np.sin(9 * np.arctan2(y, x))] = 80
    circle, ragged = named(ellipse(15, 15)), named(star)
    assert circle["blob_border"] == pytest.approx(1, abs=0.1)
    assert ragged["blob_border"] > 1.5 * circle["blob_border"]


def test_half_a_circle_is_asymmetric():
    tile = ellipse(18, 18)
    tile[:, PX // 2 + 4 :] = 200
    assert named(tile)["blob_asymmetry"] > 0.08


@pytest.mark.parametrize("turned", [np.flipud, np.fliplr, np.rot90])
def test_turns_and_reflections_change_nothing(turned):
    tile = ellipse(18, 9, 0.4, (4, -3))
    tile[20:25, 30:34] = 60
    found = tile_shape.measure(np.ascontiguousarray(turned(tile)))
    np.testing.assert_allclose(found, tile_shape.measure(tile), rtol=1e-6, atol=1e-9)


def test_a_second_blob_and_a_hole_are_not_counted():
    tile = ellipse(15, 15)
    area = named(tile)["blob_area"]
    tile[31:33, 31:33] = 200
    tile[:6, :6] = 80
    assert named(tile)["blob_area"] == area


@pytest.mark.parametrize("value", [0, 200, 255])
def test_a_tile_of_one_colour_has_no_blob(value):
    assert np.isnan(tile_shape.measure(np.full((PX, PX, 3), value, np.uint8))).all()


def test_a_lighter_middle_is_no_blob():
    assert tile_shape.blob(-ellipse(15, 15)[:, :, 0].astype(float)) is None


@pytest.mark.parametrize("seed", range(20))
def test_noise_gives_numbers_that_are_finite_or_all_missing(seed):
    rng = np.random.default_rng(seed)
    tile = rng.integers(0, rng.integers(2, 256), (PX, PX, 3)).astype(np.uint8)
    found = tile_shape.measure(tile)
    assert np.isfinite(found).all() or np.isnan(found).all()
