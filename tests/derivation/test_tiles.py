"""derivation.tiles: each tile's numbers are its own."""

import numpy as np

from skinlesion.dataset import stores
from skinlesion.derivation import tile_colour, tile_shape, tiles


def test_a_tile_is_measured_alike_alone_and_among_others(challenge):
    store = stores.open_store(challenge / "train-image.hdf5")
    ids = store.ids()
    whole = tiles.measure(ids, store, ["colour", "shape"])
    assert list(whole) == [*tile_colour.NAMES, *tile_shape.NAMES]
    for row in (0, 50, len(ids) - 1):
        alone = tiles.measure([ids[row]], store, ["colour", "shape"])
        for name, values in alone.items():
            np.testing.assert_array_equal(values, whole[name][[row]])


def test_kinds_can_be_measured_apart(challenge):
    store = stores.open_store(challenge / "train-image.hdf5")
    some = store.ids()[:5]
    assert tiles.measure(some, store, []) == {}
    assert list(tiles.measure(some, store, ["shape"])) == list(tile_shape.NAMES)


def test_a_tile_that_cannot_be_read_has_no_numbers_and_harms_no_other(solid_tiles):
    store, counted = solid_tiles({"a": 10, "c": 30}), []
    found = tiles.measure(["a", "b", "c"], store, ["colour"], progress=counted.append)
    assert np.isnan(found["tile_l_rim_mean"]).tolist() == [False, True, False]
    assert sum(counted) == 3
