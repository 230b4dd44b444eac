"""scoring.patches: what is hidden of a tile, and in which colour."""

import numpy as np
import pytest

from skinlesion.scoring import patches

FRACTIONS = pytest.mark.parametrize("fraction", [0.04, 0.1, 0.25, 0.3, 0.5, 0.77, 0.99])
PX = 32


def noise(px: int = PX) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (px, px, 3), np.uint8)


@FRACTIONS
@pytest.mark.parametrize("px", [32, 61])
def test_patches_go_from_border_to_border_and_hide_every_pixel(fraction, px):
    tile = noise(px=px)
    hides = [(p != tile).any(axis=-1) for p in patches.hidden(tile, fraction=fraction)]

    assert len(hides) == patches.n_places(fraction) ** 2
    assert hides[0][0, 0]
    assert hides[-1][-1, -1]
    assert np.mean(np.any(hides, axis=0)) > 0.99  # a pixel may have the colour of the border


def test_patches_move_by_half_their_width():
    assert patches.n_places(0.25) == 7
    assert patches.n_places(0.5) == 3
    assert patches.n_places(0.1) == 19


def test_a_patch_has_the_median_colour_of_the_border_and_leaves_the_rest_as_it_is():
    tile = np.full((PX, PX, 3), (200, 150, 120), np.uint8)
    tile[8:24, 8:24] = 30  # the lesion
    tile[0] = 0  # a hair along one side
    first, *_, last = patches.hidden(tile, fraction=0.5)
    healed = list(patches.hidden(tile, fraction=0.5))[4]

    assert (healed[8:24, 8:24] == (200, 150, 120)).all()
    assert (first[:16, :16] == (200, 150, 120)).all()
    assert (first[16:] == tile[16:]).all()
    assert (last[:16] == tile[:16]).all()
    assert (tile[8:24, 8:24] == 30).all()
