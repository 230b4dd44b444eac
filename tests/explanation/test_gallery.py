"""explanation.gallery: how the fall of a logit is drawn over its tile, and what is written."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from tests.explanation.test_occlusion import PX, Tiles, noise

from skinlesion.dataset import images
from skinlesion.explanation import gallery
from skinlesion.scoring import patches

FRACTIONS = pytest.mark.parametrize("fraction", [0.04, 0.1, 0.25, 0.3, 0.5, 0.77, 0.99])


def lesions(n: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "kind": "cancer ranked low",
            "isic_id": [f"ISIC_{i}" for i in range(n)],
            "patient_id": "IP_0",
            "fold": 0,
            "rank": np.arange(n) + 1,
            "n_lesions": 100,
        }
    )


def write(tiles: list[np.ndarray], drops: np.ndarray | None, out) -> pd.DataFrame:
    store = Tiles({f"ISIC_{i}": tile for i, tile in enumerate(tiles)})
    return gallery.write(lesions(len(tiles)), drops, store, out, fraction=0.25)


def pixels(path) -> np.ndarray:
    return np.asarray(Image.open(path))


# === Maps ===


@FRACTIONS
def test_a_pixels_value_is_the_mean_drop_of_the_patches_that_cover_it_smoothed(fraction):
    n, px = patches.n_places(fraction), 60
    values = np.random.default_rng(0).normal(size=(n, n))
    width = max(1, round(fraction * px))
    starts = np.linspace(0, px - width, n).round().astype(int)
    total, count = np.zeros((2, px, px))
    for (i, j), value in np.ndenumerate(values):
        here = slice(starts[i], starts[i] + width), slice(starts[j], starts[j] + width)
        total[here] += value
        count[here] += 1
    expected = gaussian_filter(total / count, width / 4, mode="nearest")

    np.testing.assert_allclose(
        gallery.spread(values, fraction=fraction, px=px), expected, atol=1e-12
    )


def test_a_map_of_equal_drops_is_flat_and_none_leaves_the_range_of_its_drops():
    flat = gallery.spread(np.full((7, 7), 2.5), fraction=0.25, px=100)
    values = np.random.default_rng(0).normal(size=(7, 7))
    found = gallery.spread(values, fraction=0.25, px=100)

    np.testing.assert_allclose(flat, 2.5)
    assert values.min() < found.min() < found.max() < values.max()


# === Pictures ===


def test_a_map_is_grey_at_0_warm_above_and_cool_below():
    values = np.repeat([[-1.0, 0.0, 1.0]], 3, axis=0)
    cool, bare, warm = gallery.drawn(noise(px=3), values, limit=1.0).astype(int).swapaxes(0, 1)

    assert (np.ptp(bare, axis=-1) == 0).all()
    assert (warm[:, 0] > warm[:, 2] + 100).all()
    assert (cool[:, 2] > cool[:, 0] + 100).all()


def test_a_larger_drop_has_more_colour_up_to_the_limit_and_no_more_beyond():
    tile, values = np.full((4, 4, 3), 128, np.uint8), np.array([[0.2, 0.5, 1.0, 3.0]] * 4)
    found = gallery.drawn(tile, values, limit=1.0).astype(int)[0]
    colour = found[:, 0] - found[:, 2]

    assert colour[0] < colour[1] < colour[2]
    assert colour[2] == colour[3]


def test_a_map_of_zeros_shows_the_tile_alone():
    found = gallery.drawn(noise(), np.zeros((64, 64)), limit=0.0)

    assert found.shape == (64, 64, 3)
    assert (np.ptp(found, axis=-1) == 0).all()
    assert found.std() > 10


def test_tiles_are_written_as_their_central_square_and_not_enlarged(tmp_path):
    wide = np.hstack([noise(0), noise(1)])
    large = noise(2, px=300)
    table = write([wide, large], None, tmp_path)

    assert (pixels(tmp_path / "ISIC_0.png") == wide[:, 16:48]).all()
    assert (pixels(tmp_path / "ISIC_1.png") == images.square(large, px=256)).all()
    assert table["tile"].tolist() == ["ISIC_0.png", "ISIC_1.png"]
    assert table["occlusion"].eq("").all()
    assert table["largest_drop"].isna().all()
    assert sorted(path.name for path in tmp_path.iterdir()) == table["tile"].tolist()


def test_maps_are_written_at_192_pixels_or_at_the_width_of_their_tile(tmp_path):
    values = np.random.default_rng(0).normal(size=(2, 7, 7))
    table = write([noise(), noise(px=220)], values, tmp_path)

    assert [pixels(tmp_path / name).shape for name in table["occlusion"]] == [
        (192, 192, 3),
        (220, 220, 3),
    ]
    assert table["largest_drop"].tolist() == values.max(axis=(1, 2)).round(6).tolist()


def test_the_table_says_what_was_written_of_which_lesion(tmp_path):
    table = write([noise()], np.ones((1, 7, 7)), tmp_path)

    assert table.columns.tolist() == [
        *("kind", "isic_id", "patient_id", "rank", "n_lesions"),
        *("tile", "occlusion", "largest_drop"),
    ]
    assert table.iloc[0][["tile", "occlusion"]].tolist() == ["ISIC_0.png", "ISIC_0-occlusion.png"]


def test_all_maps_have_one_scale(tmp_path):
    values = np.stack([np.full((7, 7), d) for d in (1.0, 0.1, -1.0, 1.0)])
    grey = np.full((PX, PX, 3), 128, np.uint8)
    table = write([grey] * 4, values, tmp_path)
    strong, weak, cool, again = (pixels(tmp_path / name)[0, 0] for name in table["occlusion"])

    assert (strong == again).all()
    assert np.ptp(strong.astype(int)) > 5 * np.ptp(weak.astype(int))
    assert cool[2] > cool[0]


def test_the_same_pictures_have_the_same_bytes(tmp_path):
    values = np.random.default_rng(0).normal(size=(1, 7, 7))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write([noise()], values, tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_tile_that_cannot_be_read_is_an_error_that_names_the_lesion(tmp_path, solid_tiles):
    with pytest.raises(images.ImageError, match="ISIC_0: it has no tile"):
        gallery.write(lesions(1), None, solid_tiles({}), tmp_path, fraction=0.25)
