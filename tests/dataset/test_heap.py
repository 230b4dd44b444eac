"""dataset.heap: values of variable length are those that HDF5 reads; a damaged heap is refused."""

import os
import struct

import h5py
import numpy as np
import pytest

from skinlesion.dataset import heap

VALUES = [b"one", b"", b"a longer one " * 400, bytes(range(256)), b"\0\0"]


@pytest.fixture
def kept(tmp_path):
    """Write values of variable length; give the descriptor, and where the references lie."""
    opened = []

    def write(userblock_size: int = 0):
        path = tmp_path / f"values-{userblock_size}.hdf5"
        with h5py.File(path, "w", userblock_size=userblock_size) as file:
            for i, value in enumerate(VALUES):
                entry = file.create_dataset(f"{i}", (), dtype=h5py.vlen_dtype(np.uint8))
                entry[()] = np.frombuffer(value, np.uint8)
        with h5py.File(path, "r") as file:
            places = [file[f"{i}"].id.get_offset() for i in range(len(VALUES))]
        opened.append(os.open(path, os.O_RDWR))
        return opened[-1], places

    yield write
    for descriptor in opened:
        os.close(descriptor)


@pytest.mark.parametrize("base", [0, 512, 2048])
def test_the_values_are_those_that_were_written(kept, base):
    descriptor, places = kept(base)
    found = [heap.read(descriptor, at, base=base, max_bytes=10_000) for at in places]
    assert found == VALUES


def test_a_value_that_is_too_long_is_refused(kept):
    descriptor, places = kept()
    with pytest.raises(heap.HeapError, match="has 5,200"):
        heap.read(descriptor, places[2], base=0, max_bytes=5000)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda n, address, index: (n, 0, index), "bad signature"),
        (lambda n, address, index: (n, 2**40, index), "too early"),
        (lambda n, address, index: (n, 2**64 - 1, index), "bad address"),
        (lambda n, address, index: (n, address, 77), "no object 77"),
        (lambda n, address, index: (n + 1, address, index), "a value of 4 bytes has 3"),
    ],
)
def test_a_reference_to_nowhere_is_refused(kept, change, said):
    descriptor, places = kept()
    reference = struct.unpack("<LQL", os.pread(descriptor, 16, places[0]))
    os.pwrite(descriptor, struct.pack("<LQL", *change(*reference)), places[0])
    with pytest.raises(heap.HeapError, match=said):
        heap.read(descriptor, places[0], base=0, max_bytes=10_000)


def test_a_heap_that_leads_back_to_itself_comes_to_an_end(kept):
    """The HDF5 library reads such a one for ever."""
    descriptor, places = kept()
    _, address, _ = struct.unpack("<LQL", os.pread(descriptor, 16, places[0]))
    os.pwrite(descriptor, struct.pack("<HH4xQ", 5, 1, 2**64 - 16), address + 16)
    with pytest.raises(heap.HeapError):
        heap.read(descriptor, places[3], base=0, max_bytes=10_000)
