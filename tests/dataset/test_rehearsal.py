"""dataset.rehearsal: a file that crashes the HDF5 library, or hangs it, is refused by its tile."""

import h5py
import numpy as np
import pytest
from tests.tiles import JPEG

from skinlesion.dataset import rehearsal, stores
from skinlesion.errors import InputError

# What the other process does at its second tile.
CRASH = "__import__('os').kill(__import__('os').getpid(), 11)"
HANG = "__import__('time').sleep(60)"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "train-image.hdf5"
    with h5py.File(path, "w", libver="latest") as file:
        for name in ("ISIC_1", "ISIC_2", "ISIC_3"):
            file[name] = np.void(JPEG)
    return path


def other(monkeypatch, action: str, at: str) -> None:
    """Have the other process do something when it reads a tile, or lists them."""
    code = (
        "from skinlesion.dataset import rehearsal; from skinlesion.dataset.hdf5 import Hdf5\n"
        f"before = Hdf5.{at}\n"
        "def now(self, *args):\n"
        f"    if args in ((), ('ISIC_2',)): {action}\n"
        "    return before(self, *args)\n"
        f"Hdf5.{at} = now\n"
    )
    monkeypatch.setattr(rehearsal, "_OTHER", code + rehearsal._OTHER)


def test_a_whole_file_is_accepted(path):
    rehearsal.require_readable(path)


def test_what_is_only_refused_is_not_told_here(path, tmp_path):
    path.write_bytes(path.read_bytes().replace(JPEG[:40], bytes(40)))
    rehearsal.require_readable(path)
    rehearsal.require_readable(tmp_path / "absent")


def test_a_crash_is_told_with_the_tile(path, monkeypatch):
    other(monkeypatch, CRASH, "read")
    said = rf"{path} must be a whole HDF5 file\. Reading it failed at the tile of ISIC_2: SIGSEGV"
    with pytest.raises(InputError, match=said):
        rehearsal.require_readable(path)


def test_a_crash_before_any_tile_is_told(path, monkeypatch):
    other(monkeypatch, CRASH, "ids")
    with pytest.raises(InputError, match="failed while its tiles were listed: SIGSEGV"):
        rehearsal.require_readable(path)


def test_a_hang_is_told_with_the_tile(path, monkeypatch):
    other(monkeypatch, HANG, "read")
    with pytest.raises(InputError, match=r"failed at the tile of ISIC_2: no answer in 3 s"):
        rehearsal.require_readable(path, patience_s=3)


@pytest.mark.parametrize(
    ("options", "rehearsed"),
    [
        ({}, False),
        ({"libver": "latest"}, True),
        ({"track_order": True}, True),
    ],
)
@pytest.mark.parametrize("rehearse", [True, False])
def test_only_an_uncommon_layout_is_rehearsed(tmp_path, monkeypatch, options, rehearsed, rehearse):
    path, seen = tmp_path / "train-image.hdf5", []
    monkeypatch.setattr(rehearsal, "require_readable", seen.append)
    with h5py.File(path, "w", **options) as file:
        file["ISIC_1"] = np.void(JPEG)
    stores.open_store(path, rehearse=rehearse)
    assert bool(seen) == (rehearsed and rehearse)


def test_a_file_of_compressed_rows_is_rehearsed(tmp_path, monkeypatch):
    path, seen = tmp_path / "train-image.hdf5", []
    monkeypatch.setattr(rehearsal, "require_readable", seen.append)
    with h5py.File(path, "w") as file:
        file.create_dataset("ISIC_1", data=np.frombuffer(JPEG, np.uint8), compression="gzip")
    stores.open_store(path, rehearse=True)
    assert seen == [path]
