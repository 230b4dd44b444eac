"""dataset.stores: a tile is the same bytes wherever it is kept; what is no tile is refused."""

import tracemalloc

import h5py
import numpy as np
import pytest
from tests.tiles import JPEG, KINDS, PIXELS, encoded

from skinlesion.dataset import images, stores
from skinlesion.errors import InputError


@pytest.fixture
def hdf5(tmp_path):
    """Write an HDF5 file with `write(file)`; open it as a store."""

    def hdf5(write) -> stores.Store:
        with h5py.File(tmp_path / "train-image.hdf5", "w") as file:
            write(file)
        return stores.open_store(tmp_path / "train-image.hdf5")

    return hdf5


# === Stores ===


def test_a_missing_store_is_named(tmp_path):
    path = tmp_path / "train-image.hdf5"
    with pytest.raises(InputError, match=rf"{path} must be an HDF5 file or a folder .* is none"):
        stores.open_store(path)


def test_an_empty_file_is_named_and_called_empty(tmp_path):
    path = tmp_path / "train-image.hdf5"
    path.touch()
    with pytest.raises(InputError, match=rf"{path} must be an HDF5 file\. It is empty\."):
        stores.open_store(path)


@pytest.mark.parametrize("broken", ["truncated", "text"])
def test_a_file_that_is_no_hdf5_is_named(tmp_path, broken):
    path = tmp_path / "train-image.hdf5"
    with h5py.File(path, "w") as file:
        file["ISIC_1"] = np.void(JPEG)
    whole = path.read_bytes()
    path.write_bytes(b"isic_id,target\n" if broken == "text" else whole[: len(whole) // 2])
    with pytest.raises(InputError, match=rf"{path} must be an HDF5 file\. \S"):
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


# === HDF5 ===

OPAQUE, FIXED, VARIABLE = "opaque", "fixed-length string", "variable-length string"
KEPT = {
    OPAQUE: lambda file, data: file.create_dataset("ISIC_1", data=np.void(data)),
    FIXED: lambda file, data: file.create_dataset("ISIC_1", data=np.bytes_(data)),
    VARIABLE: lambda file, data: file.create_dataset(
        "ISIC_1", data=data, dtype=h5py.string_dtype("ascii")
    ),
}


@pytest.mark.parametrize("kept", [OPAQUE, FIXED])
@pytest.mark.parametrize("tile", KINDS.values(), ids=KINDS)
def test_a_tile_comes_back_to_the_byte(hdf5, kept, tile):
    assert b"\0" in tile
    assert hdf5(lambda file: KEPT[kept](file, tile)).read("ISIC_1") == tile


@pytest.mark.parametrize("kept", [OPAQUE, FIXED, VARIABLE])
def test_bytes_without_nul_come_back_from_every_type(hdf5, kept):
    data = bytes(range(1, 256))
    assert hdf5(lambda file: KEPT[kept](file, data)).read("ISIC_1") == data


def test_nul_bytes_at_the_end_are_kept_by_the_opaque_type(hdf5):
    assert hdf5(lambda file: KEPT[OPAQUE](file, JPEG + b"\0\0")).read("ISIC_1") == JPEG + b"\0\0"


def test_nul_bytes_at_the_end_of_a_fixed_length_string_are_padding(hdf5):
    def padded(file):
        file.create_dataset("ISIC_1", data=np.array(JPEG, f"S{len(JPEG) + 50}"))

    assert hdf5(padded).read("ISIC_1") == JPEG


def test_an_image_with_nul_bytes_behind_it_decodes_alike():
    for tile in KINDS.values():
        np.testing.assert_array_equal(images.decode(tile + b"\0" * 50), images.decode(tile))


def external(file):
    file["ISIC_1"] = h5py.ExternalLink("other.hdf5", "ISIC_1")


def soft(file):
    file["other"] = np.void(JPEG)
    file["ISIC_1"] = h5py.SoftLink("/other")


def virtual(file):
    layout = h5py.VirtualLayout((), dtype=f"V{len(JPEG)}")
    layout[()] = h5py.VirtualSource("other.hdf5", "ISIC_1", shape=(), dtype=f"V{len(JPEG)}")
    file.create_virtual_dataset("ISIC_1", layout)


def raw(file):
    layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    layout.set_external(b"/etc/hostname", 0, 4)
    opaque, scalar = h5py.h5t.py_create(np.dtype("V4")), h5py.h5s.create(h5py.h5s.SCALAR)
    h5py.h5d.create(file.id, b"ISIC_1", opaque, scalar, layout)


def arrays(file):
    data = file.create_dataset("ISIC_1", (), dtype=h5py.vlen_dtype(np.uint8))
    data[()] = np.frombuffer(JPEG, np.uint8)


@pytest.mark.parametrize(
    ("write", "found"),
    [
        (lambda file: file.create_group("ISIC_1"), "a group"),
        (lambda file: file.create_dataset("ISIC_1", data=3), r"shape \(\) and type int64"),
        (lambda file: file.create_dataset("ISIC_1", data=[b"a", b"b"]), r"shape \(2,\) .*"),
        (
            lambda file: file.create_dataset("ISIC_1", data=np.frombuffer(JPEG, np.uint8)),
            rf"shape \({len(JPEG)},\) and type uint8",
        ),
        (lambda file: file.create_dataset("ISIC_1", data=h5py.Empty("S9")), "shape None .*"),
        (arrays, r"shape \(\) and type object"),
        (external, "a link"),
        (soft, "a link"),
        (lambda file: file.update({"ISIC_1": h5py.SoftLink("/nothing")}), "a link"),
        (virtual, "a dataset that lies in another file"),
        (raw, "a dataset that lies in another file"),
    ],
)
def test_an_entry_that_is_not_bytes_of_this_file_is_refused(hdf5, tmp_path, write, found):
    with h5py.File(tmp_path / "other.hdf5", "w") as file:
        file["ISIC_1"] = np.void(JPEG)
    with pytest.raises(
        images.ImageError,
        match=rf"must be a scalar dataset of bytes in this very file\. Got .*{found} instead",
    ):
        hdf5(write).read("ISIC_1")


def test_an_entry_that_claims_gigabytes_is_refused_before_they_are_taken(hdf5, tmp_path):
    store = hdf5(lambda file: file.create_dataset("ISIC_1", (), dtype=f"V{2**31 - 1}"))
    assert (tmp_path / "train-image.hdf5").stat().st_size < 10_000
    tracemalloc.start()
    with pytest.raises(images.ImageError, match="Got 2,147,483,647 bytes, more than 100,000,000"):
        store.read("ISIC_1")
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


@pytest.mark.parametrize(
    "isic_id", ["", ".", "..", "/", "/ISIC_1", "./ISIC_1", "group/ISIC_1", "link/ISIC_1"]
)
def test_an_isic_id_is_a_name_and_never_a_path(hdf5, tmp_path, isic_id):
    with h5py.File(tmp_path / "other.hdf5", "w") as file:
        file["ISIC_1"] = np.void(JPEG)

    def write(file):
        file["ISIC_1"] = np.void(JPEG)
        file["group/ISIC_1"] = np.void(JPEG)
        file["link"] = h5py.ExternalLink("other.hdf5", "/")

    with pytest.raises(images.ImageError, match=rf"in|from {tmp_path}/train-image\.hdf5"):
        hdf5(write).read(isic_id)


def test_what_follows_a_nul_in_an_isic_id_is_not_ignored(hdf5):
    store = hdf5(lambda file: file.create_dataset("ISIC_1", data=np.void(JPEG)))
    with pytest.raises(images.ImageError, match="it has no tile"):
        store.read("ISIC_1\0x")


# === A folder ===


def test_a_folder_is_searched_at_any_depth_and_for_any_of_the_suffixes(tmp_path):
    names = ["ISIC_1.jpg", "a/ISIC_2.JPG", "a/b/ISIC_3.jpeg", "c/ISIC_4.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "a" / "notes.txt").touch()
    store = stores.open_store(tmp_path)
    assert [store.read(isic_id) for isic_id in store.ids()] == [name.encode() for name in names]


@pytest.mark.parametrize("again", ["b/ISIC_1.jpg", "ISIC_1.png", "a/ISIC_1.JPEG"])
def test_two_files_of_one_isic_id_are_refused(tmp_path, again):
    for name in ("ISIC_1.jpg", "ISIC_2.jpg", again):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(JPEG)
    said = rf"{tmp_path} must hold one tile per isic_id\. Got several of \['ISIC_1'\]"
    with pytest.raises(InputError, match=said):
        stores.open_store(tmp_path)


@pytest.mark.parametrize("broken", ["folder", "dangling", "gone"])
def test_a_file_that_cannot_be_read_is_a_broken_tile(tmp_path, broken):
    path = tmp_path / "ISIC_1.jpg"
    if broken == "folder":
        path.mkdir()
    elif broken == "dangling":
        path.symlink_to(tmp_path / "nothing")
    else:
        path.touch()
    store = stores.open_store(tmp_path)
    if broken == "gone":
        path.unlink()
    with pytest.raises(images.ImageError, match=rf"it cannot be read\. .*{path}"):
        store.read("ISIC_1")


def test_a_path_is_no_isic_id(tmp_path):
    (tmp_path / "tiles").mkdir()
    (tmp_path / "other.jpg").write_bytes(JPEG)
    with pytest.raises(images.ImageError, match="it has no tile"):
        stores.open_store(tmp_path / "tiles").read("../other")
