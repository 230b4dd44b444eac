"""Fixtures of the tests of datasets."""

import h5py
import pytest

from skinlesion.dataset import stores


@pytest.fixture
def hdf5(tmp_path):
    """Write an HDF5 file with `write(file)`; open it as a store."""

    def hdf5(write) -> stores.Store:
        with h5py.File(tmp_path / "train-image.hdf5", "w") as file:
            write(file)
        return stores.open_store(tmp_path / "train-image.hdf5")

    return hdf5
