"""explanation.occlusion: what is hidden, and what that does to the logit."""

import io

import numpy as np
import pytest
from PIL import Image

from skinlesion.dataset import batches
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.explanation import branches, occlusion
from skinlesion.scoring import executor

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
        name=FoldSeed(fold),
        rows=np.arange(len(tiles)),
        weight=weight,
        lesions=batches.Lesions(isic_ids, encoded, None, PX),
        pooled=network.pooled(np.stack(tiles)),
    )


def drops(
    tiles: list[np.ndarray], *networks: Sees, batch_size: int = 16, min_pieces: int = 1
) -> np.ndarray:
    """The drops of the mean of the networks."""
    models = {FoldSeed(fold): m for fold, m in enumerate(networks)}
    members = [member(m, one.fold, tiles, 1 / len(models)) for one, m in models.items()]
    run = executor.Here(models, Tiles({f"ISIC_{i}": tile for i, tile in enumerate(tiles)}))
    run.min_pieces = min_pieces
    return occlusion.drops(members, len(tiles), run, fraction=0.25, batch_size=batch_size)


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
