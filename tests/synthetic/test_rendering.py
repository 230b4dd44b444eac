"""synthetic.rendering: one tile, a function of its look and the seed alone."""

import io

import numpy as np
import pytest
from PIL import Image

from skinlesion.synthetic import rendering
from skinlesion.synthetic.rendering import Look

PLAIN = Look(
    number=15845,
    skin_l=60,
    skin_a=16,
    skin_b=22,
    lesion_l=42,
    lesion_a=20,
    lesion_b=22,
    axis_ratio=0.8,
    asymmetry=0.05,
    raggedness=0.05,
    variegation=0.05,
    hairs=0,
    freckles=0,
    white_light=True,
)


def pixels(look: Look, seed: int = 1) -> np.ndarray:
    tile = Image.open(io.BytesIO(rendering.jpeg(look, seed=seed)))
    return np.asarray(tile, dtype=float)


def test_a_tile_does_not_depend_on_the_tiles_before_it():
    alone = rendering.jpeg(PLAIN, seed=1)
    rendering.jpeg(PLAIN._replace(number=1, hairs=9), seed=1)
    assert rendering.jpeg(PLAIN, seed=1) == alone


def test_another_seed_or_another_lesion_is_another_tile():
    same = rendering.jpeg(PLAIN, seed=1)
    assert rendering.jpeg(PLAIN, seed=2) != same
    assert rendering.jpeg(PLAIN._replace(number=15846), seed=1) != same


def test_the_sides_are_those_of_slice_3d():
    sides = [len(pixels(PLAIN._replace(number=number))) for number in range(150)]
    assert min(sides) >= 61
    assert max(sides) <= 239
    assert 125 <= np.median(sides) <= 137


def test_the_skin_has_its_tone_and_the_lesion_is_darker():
    for number in range(10):
        tile = pixels(PLAIN._replace(number=number))
        rim, middle = tile[:6].mean(axis=(0, 1)), tile[len(tile) // 2 - 4 :][:8]
        middle = middle[:, len(tile) // 2 - 4 :][:, :8].mean(axis=(0, 1))
        # CIELAB (60, 16, 22) is sRGB (183, 134, 106).
        np.testing.assert_allclose(rim, (183, 134, 106), atol=25)
        assert middle.mean() < rim.mean() - 15


@pytest.mark.parametrize("sign", ["asymmetry", "raggedness", "variegation"])
def test_each_sign_changes_the_tile(sign):
    assert np.shape(pixels(PLAIN)) == np.shape(pixels(PLAIN._replace(**{sign: 0.95})))
    assert np.abs(pixels(PLAIN) - pixels(PLAIN._replace(**{sign: 0.95}))).mean() > 0.5


def test_variegation_shows_as_more_spread_of_colour():
    def spread(variegation: float) -> float:
        looks = (PLAIN._replace(number=k, variegation=variegation) for k in range(20))
        tiles = [
            np.asarray(Image.fromarray(pixels(look).astype(np.uint8)).resize((64, 64)))
            for look in looks
        ]
        return float(np.mean([(tile[..., 0] - 1.0 * tile[..., 2]).std() for tile in tiles]))

    assert spread(0.95) > 1.3 * spread(0.05)


@pytest.mark.parametrize("change", [{"hairs": 40}, {"freckles": 20}])
def test_hairs_and_freckles_are_drawn(change):
    with_them, without = pixels(PLAIN._replace(**change)), pixels(PLAIN)
    assert np.abs(with_them - without).max() > 20


def test_cross_polarised_light_is_less_even():
    def falloff(white_light: bool) -> float:
        looks = (PLAIN._replace(number=k, white_light=white_light) for k in range(20))
        rims = [pixels(look).mean(axis=2)[:4] for look in looks]
        return float(np.mean([rim.std() for rim in rims]))

    assert falloff(white_light=False) > falloff(white_light=True)


def test_the_darkest_and_the_palest_skin_can_be_drawn():
    for lightness in (5, 99):
        look = PLAIN._replace(skin_l=lightness, lesion_l=lightness)
        assert pixels(look).shape[2] == 3
