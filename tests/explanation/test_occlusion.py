"""explanation.occlusion: what is hidden, what that does to the logit, and how it is drawn."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from skinlesion.dataset import batches, images
from skinlesion.explanation import branches, occlusion
from skinlesion.scoring import executor, patches

FRACTIONS = pytest.mark.parametrize("fraction", [0.04, 0.1, 0.25, 0.3, 0.5, 0.77, 0.99])
PX = 32


class Tiles:
    """A store of tiles that are given as arrays."""

    def __init__(self, tiles: dict[str, np.ndarray]) -> None:
        self.tiles = tiles

    def read(self, isic_id: str) -> bytes:
        file = io.BytesIO()
        Image.fromarray(self.tiles[isic_id]).save(file, "png")
        return file.getvalue()


class Sees:
    """A network whose logit is the mean brightness of a part of the tile, times a weight."""

    def __init__(self, rows: slice, columns: slice, weight: float = 1.0) -> None:
        self.part, self.weight, self.image_branch = (rows, columns), weight, "there is one"

    def pooled(self, tiles: np.ndarray) -> np.ndarray:
        return np.array([tile[self.part].mean(keepdims=True).ravel() for tile in tiles])

    def logits(self, pooled: np.ndarray, encoded: np.ndarray) -> np.ndarray:
        return self.weight * pooled[:, 0] + 100 * encoded[:, 0]


WHOLE = slice(None), slice(None)


def noise(seed: int = 0, px: int = PX) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (px, px, 3)).astype(np.uint8)


def member(network: Sees, fold: int, tiles: list[np.ndarray], weight: float) -> branches.Member:
    isic_ids = np.array([f"ISIC_{i}" for i in range(len(tiles))])
    encoded = np.arange(len(tiles), dtype=np.float32)[:, np.newaxis]
    return branches.Member(
        model=network,
        fold=fold,
        rows=np.arange(len(tiles)),
        weight=weight,
        lesions=batches.Lesions(isic_ids, encoded, None, PX),
        pooled=network.pooled(np.stack(tiles)),
    )


def drops(
    tiles: list[np.ndarray], *networks: Sees, batch_size: int = 16, min_pieces: int = 1
) -> np.ndarray:
    """The drops of the mean of the networks."""
    models = dict(enumerate(networks))
    members = [member(m, fold, tiles, 1 / len(models)) for fold, m in models.items()]
    run = executor.Here(models, Tiles({f"ISIC_{i}": tile for i, tile in enumerate(tiles)}))
    run.min_pieces = min_pieces
    return occlusion.drops(members, len(tiles), run, fraction=0.25, batch_size=batch_size)


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
    return occlusion.write(lesions(len(tiles)), drops, store, out, fraction=0.25)


def pixels(path) -> np.ndarray:
    return np.asarray(Image.open(path))


# === Drops ===


def test_only_patches_over_what_the_network_sees_change_the_logit():
    network = Sees(slice(0, 8), slice(24, 32))  # the upper right corner
    found = drops([noise(0), noise(1)], network)

    assert found.shape == (2, 7, 7)
    assert (found[:, :2, 5:] != 0).all()
    found[:, :2, 5:] = 0
    assert (found == 0).all()


def test_a_network_that_ignores_the_tile_has_drops_of_exactly_0():
    assert (drops([noise()], Sees(*WHOLE, weight=0.0)) == 0).all()


def test_hiding_what_raises_the_logit_is_a_positive_drop():
    tile = np.full((PX, PX, 3), 50, np.uint8)
    tile[12:20, 12:20] = 250
    found = drops([tile], Sees(*WHOLE))[0]

    assert np.unravel_index(found.argmax(), found.shape) == (3, 3)
    assert found[3, 3] == pytest.approx(200 * 64 / PX**2)
    assert (drops([tile], Sees(*WHOLE, weight=-1.0))[0] == -found).all()


def test_the_drops_of_models_are_averaged():
    corner, whole, tiles = Sees(slice(0, 8), slice(0, 8), 3.0), Sees(*WHOLE), [noise(0), noise(1)]
    expected = (drops(tiles, corner) + drops(tiles, whole)) / 2

    np.testing.assert_allclose(drops(tiles, corner, whole), expected, atol=1e-12)


@pytest.mark.parametrize("min_pieces", [1, 4, 1000])
@pytest.mark.parametrize("batch_size", [1, 49, 50, 200])
def test_drops_depend_neither_on_the_batch_size_nor_on_how_they_are_cut(batch_size, min_pieces):
    tiles, networks = [noise(0), noise(1), noise(2)], [Sees(*WHOLE), Sees(slice(8), slice(8))]
    found = drops(tiles, *networks, batch_size=batch_size, min_pieces=min_pieces)

    np.testing.assert_array_equal(found, drops(tiles, *networks))


def test_without_an_image_branch_there_are_no_drops():
    network = Sees(*WHOLE)
    network.image_branch = None

    assert drops([noise()], network) is None


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
        occlusion.spread(values, fraction=fraction, px=px), expected, atol=1e-12
    )


def test_a_map_of_equal_drops_is_flat_and_none_leaves_the_range_of_its_drops():
    flat = occlusion.spread(np.full((7, 7), 2.5), fraction=0.25, px=100)
    values = np.random.default_rng(0).normal(size=(7, 7))
    found = occlusion.spread(values, fraction=0.25, px=100)

    np.testing.assert_allclose(flat, 2.5)
    assert values.min() < found.min() < found.max() < values.max()


# === Pictures ===


def test_a_map_is_grey_at_0_warm_above_and_cool_below():
    values = np.repeat([[-1.0, 0.0, 1.0]], 3, axis=0)
    cool, bare, warm = occlusion.drawn(noise(px=3), values, limit=1.0).astype(int).swapaxes(0, 1)

    assert (np.ptp(bare, axis=-1) == 0).all()
    assert (warm[:, 0] > warm[:, 2] + 100).all()
    assert (cool[:, 2] > cool[:, 0] + 100).all()


def test_a_larger_drop_has_more_colour_up_to_the_limit_and_no_more_beyond():
    tile, values = np.full((4, 4, 3), 128, np.uint8), np.array([[0.2, 0.5, 1.0, 3.0]] * 4)
    found = occlusion.drawn(tile, values, limit=1.0).astype(int)[0]
    colour = found[:, 0] - found[:, 2]

    assert colour[0] < colour[1] < colour[2]
    assert colour[2] == colour[3]


def test_a_map_of_zeros_shows_the_tile_alone():
    found = occlusion.drawn(noise(), np.zeros((64, 64)), limit=0.0)

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
        occlusion.write(lesions(1), None, solid_tiles({}), tmp_path, fraction=0.25)
