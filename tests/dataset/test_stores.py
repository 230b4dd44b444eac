"""dataset.stores: a tile is the same bytes wherever it is kept; what is no tile is refused."""

import numpy as np
import pytest
from tests.tiles import JPEG, KINDS, PIXELS, encoded

from skinlesion.dataset import images, stores
from skinlesion.errors import InputError

# === Stores ===


def test_a_missing_store_is_named(tmp_path):
    path = tmp_path / "train-image.hdf5"
    with pytest.raises(InputError, match=rf"{path} must be an HDF5 file or a folder .* is none"):
        stores.open_store(path)


def test_a_file_and_a_folder_give_the_same_ids_and_bytes(hdf5, tmp_path):
    tiles = {"ISIC_3": JPEG, "ISIC_1": KINDS["PNG"], "ISIC_2": encoded(PIXELS[:9], kind="JPEG")}
    (tmp_path / "tiles").mkdir()
    for isic_id, tile in tiles.items():
        (tmp_path / "tiles" / f"{isic_id}.jpg").write_bytes(tile)
    kept = [
        hdf5(lambda file: [file.create_dataset(i, data=np.void(t)) for i, t in tiles.items()]),
        stores.open_store(tmp_path / "tiles"),
    ]
    for store in kept:
        assert store.ids() == ["ISIC_1", "ISIC_2", "ISIC_3"]
        assert {i: store.read(i) for i in store.ids()} == tiles


def test_an_absent_tile_is_refused_with_the_name_of_the_store(hdf5, tmp_path):
    (tmp_path / "tiles").mkdir()
    for store, name in [
        (hdf5(lambda file: None), "train-image.hdf5"),
        (stores.open_store(tmp_path / "tiles"), "tiles"),
    ]:
        with pytest.raises(images.ImageError, match=rf"it has no tile in {tmp_path / name}\."):
            store.read("ISIC_1")
