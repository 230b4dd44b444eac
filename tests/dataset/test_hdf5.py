"""dataset.hdf5: a tile is the same bytes however it is stored; what is no tile is refused."""

import fcntl
import os
import tracemalloc

import h5py
import numpy as np
import pytest
from tests.dataset.test_recognition import DVC, LFS, zipped
from tests.tiles import JPEG, KINDS, PIXELS

from skinlesion.dataset import images, stores
from skinlesion.errors import InputError

# === The file ===


def test_an_empty_file_is_named_and_called_empty(tmp_path):
    path = tmp_path / "train-image.hdf5"
    path.touch()
    with pytest.raises(InputError, match=rf"{path} must be an HDF5 file\. It is empty\."):
        stores.open_store(path)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (LFS, "It is a Git LFS pointer"),
        (DVC, "It is a DVC pointer"),
        (b"<!DOCTYPE html><title>Log in", "It is a web page"),
        (zipped(), "It is a zip archive"),
        (b"isic_id,target\nISIC_1,0\n", "It is text, as a CSV file is"),
        (bytes(2000), "It holds zeros only"),
    ],
)
def test_what_lies_in_the_place_of_the_file_is_named(tmp_path, content, what):
    path = tmp_path / "train-image.hdf5"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"{path} must be an HDF5 file\. {what}"):
        stores.open_store(path)


def test_a_named_pipe_is_not_waited_for(tmp_path):
    path = tmp_path / "train-image.hdf5"
    os.mkfifo(path)
    with pytest.raises(InputError, match=rf"{path} must be an HDF5 file\. It is no file"):
        stores.open_store(path)


def test_no_lock_is_asked_for(hdf5, tmp_path):
    hdf5(lambda file: KEPT[OPAQUE](file, JPEG))
    with (tmp_path / "train-image.hdf5").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert stores.open_store(tmp_path / "train-image.hdf5").read("ISIC_1") == JPEG


def test_a_key_that_is_no_utf_8_is_a_name_as_a_file_has_it(hdf5):
    def write(file):
        file["ISIC_1"] = np.void(JPEG)
        file[b"ISIC_\xe9"] = np.void(KINDS["PNG"])

    store = hdf5(write)
    assert store.ids() == ["ISIC_1", os.fsdecode(b"ISIC_\xe9")]
    assert [store.read(isic_id) for isic_id in store.ids()] == [JPEG, KINDS["PNG"]]


@pytest.mark.parametrize("group", ["images", "data/images"])
def test_a_group_that_holds_the_tiles_is_found(hdf5, group):
    store = hdf5(lambda file: file.create_dataset(f"{group}/ISIC_1", data=np.void(JPEG)))
    assert stores.group(store) == f"/{group}"


def test_a_file_without_a_group_has_none(hdf5, tmp_path):
    assert stores.group(hdf5(lambda file: KEPT[OPAQUE](file, JPEG))) == ""
    (tmp_path / "tiles").mkdir()
    assert stores.group(stores.open_store(tmp_path / "tiles")) == ""


@pytest.mark.parametrize("broken", ["truncated", "text"])
def test_a_file_that_is_no_hdf5_is_named(tmp_path, broken):
    path = tmp_path / "train-image.hdf5"
    with h5py.File(path, "w") as file:
        file["ISIC_1"] = np.void(JPEG)
    whole = path.read_bytes()
    path.write_bytes(b"isic_id,target\n" if broken == "text" else whole[: len(whole) // 2])
    with pytest.raises(InputError, match=rf"{path} must be an HDF5 file\. \S"):
        stores.open_store(path)


# === A tile ===

OPAQUE, FIXED, VARIABLE = "opaque", "fixed-length string", "variable-length string"
ROW = np.frombuffer


def variable_row(shape):
    def write(file, data):
        dtype = h5py.vlen_dtype(np.uint8)
        file.create_dataset("ISIC_1", shape, dtype=dtype)[...] = ROW(data, np.uint8)

    return write


def row(**options):
    def write(file, data):
        file.create_dataset("ISIC_1", data=ROW(data, np.uint8), **options)

    return write


def compact(file, data):
    layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    layout.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((len(data),))
    entry = h5py.h5d.create(file.id, b"ISIC_1", h5py.h5t.STD_U8LE, space, layout)
    entry.write(h5py.h5s.ALL, h5py.h5s.ALL, ROW(data, np.uint8))


def c_string(file, data):
    kind = h5py.h5t.C_S1.copy()  # such as C programs write: said to end at the first NUL
    kind.set_size(len(data))
    entry = h5py.h5d.create(file.id, b"ISIC_1", kind, h5py.h5s.create(h5py.h5s.SCALAR))
    entry.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array(data, f"V{len(data)}"), kind)


KEPT = {
    "string of C": c_string,
    OPAQUE: lambda file, data: file.create_dataset("ISIC_1", data=np.void(data)),
    FIXED: lambda file, data: file.create_dataset("ISIC_1", data=np.bytes_(data)),
    VARIABLE: lambda file, data: file.create_dataset(
        "ISIC_1", data=data, dtype=h5py.string_dtype("ascii")
    ),
    "list of one": lambda file, data: file.create_dataset("ISIC_1", data=[np.void(data)]),
    "list of one string": lambda file, data: file.create_dataset("ISIC_1", data=np.array([data])),
    "row": row(),
    "row in chunks": row(chunks=(100,)),
    "row, compressed": row(chunks=(100,), compression="gzip", shuffle=True, fletcher32=True),
    "row, compressed otherwise": row(compression="lzf"),
    "row that may grow": row(maxshape=(None,)),
    "row in the header": compact,
    "variable row": variable_row(()),
    "list of one variable row": variable_row((1,)),
}


@pytest.mark.parametrize("kept", [kept for kept in KEPT if kept != VARIABLE])
@pytest.mark.parametrize("tile", KINDS.values(), ids=KINDS)
def test_a_tile_comes_back_to_the_byte(hdf5, kept, tile):
    assert b"\0" in tile
    assert hdf5(lambda file: KEPT[kept](file, tile)).read("ISIC_1") == tile


@pytest.mark.parametrize("kept", KEPT)
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


def numbers(file):
    file.create_dataset("ISIC_1", (), dtype=h5py.vlen_dtype(np.uint16))[()] = [1, 2, 3]


@pytest.mark.parametrize(
    ("write", "found"),
    [
        (lambda file: file.create_group("ISIC_1"), "a group"),
        (lambda file: file.create_dataset("ISIC_1", data=3), r"shape \(\) and type int64"),
        (lambda file: file.create_dataset("ISIC_1", data=[b"a", b"b"]), r"shape \(2,\) .*"),
        (lambda file: file.create_dataset("ISIC_1", data=PIXELS), r"shape \(24, 24, 3\) .*uint8"),
        (lambda file: file.create_dataset("ISIC_1", data=np.ones(9, "i1")), r"\(9,\) .* int8"),
        (lambda file: file.create_dataset("ISIC_1", data=h5py.Empty("S9")), "without a value"),
        (lambda file: file.create_dataset("ISIC_1", data=h5py.Empty("u1")), "without a value"),
        (numbers, r"shape \(\) and type object"),
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
    expected = r"must be bytes in this very file: a scalar, or one row of uint8\."
    with pytest.raises(images.ImageError, match=rf"{expected} Got .*{found} instead"):
        hdf5(write).read("ISIC_1")


def test_an_entry_that_claims_gigabytes_is_refused_before_they_are_taken(hdf5, tmp_path):
    store = hdf5(lambda file: file.create_dataset("ISIC_1", (), dtype=f"V{2**31 - 1}"))
    assert (tmp_path / "train-image.hdf5").stat().st_size < 10_000
    tracemalloc.start()
    with pytest.raises(images.ImageError, match="Got 2,147,483,647 bytes, more than 100,000,000"):
        store.read("ISIC_1")
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


@pytest.mark.parametrize("shape", [(2**28,), (2**40,)])
def test_a_row_that_claims_gigabytes_is_refused_before_they_are_taken(hdf5, shape):
    options = {"dtype": "u1", "chunks": (64,)}
    store = hdf5(lambda file: file.create_dataset("ISIC_1", shape, **options))
    tracemalloc.start()
    with pytest.raises(images.ImageError, match=rf"Got {shape[0]:,} bytes, more than 100,000,000"):
        store.read("ISIC_1")
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


def test_a_chunk_that_claims_gigabytes_is_refused(hdf5):
    options = {"dtype": "u1", "chunks": (2**30,), "maxshape": (None,)}
    store = hdf5(lambda file: file.create_dataset("ISIC_1", (9,), **options))
    with pytest.raises(images.ImageError, match="Got 1,073,741,824 bytes, more than 100,000,000"):
        store.read("ISIC_1")


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
