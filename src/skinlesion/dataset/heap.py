"""Values of variable length in an HDF5 file, read without the HDF5 library.

The library reads some damaged heaps for ever: an object of no bytes leads it back to itself.
"""

import os
import struct

__all__ = ["HeapError", "read"]

_REFERENCE = struct.Struct("<LQL")  # bytes, where the collection lies, which of its objects
_COLLECTION = struct.Struct("<4sB3xQ")  # signature, version, bytes
_OBJECT = struct.Struct("<HH4xQ")  # index, references, bytes
_SIGNATURE, _VERSION, _FREE = b"GCOL", 1, 0
_N_OBJECTS = 2**16  # an index has 16 bits
_UNIT = 8  # objects begin at multiples of it


class HeapError(ValueError):
    """The heap is damaged, or no heap."""


def read(descriptor: int, at: int, *, base: int, max_bytes: int) -> bytes:
    """Read the bytes that a dataset of one value of variable length refers to.

    Args:
        descriptor: Of the open file.
        at: Where in the file the reference lies.
        base: Where in the file HDF5's addresses begin: behind its user block.
        max_bytes: A longer value is refused before it is read.

    Raises:
        HeapError: The reference or the collection makes no sense.

    Source:
        HDF5 File Format Specification 3.0, III.E (global heap); addresses and lengths of 8 bytes
    """
    n_bytes, address, index = _REFERENCE.unpack(_bytes(descriptor, at, _REFERENCE.size))
    if not n_bytes:
        return b""
    start = base + address
    signature, version, size = _COLLECTION.unpack(_bytes(descriptor, start, _COLLECTION.size))
    if (signature, version) != (_SIGNATURE, _VERSION):
        raise HeapError(f"bad signature {signature!r} of a heap collection")
    found, n_found = _find(descriptor, start + _COLLECTION.size, start + size, index)
    if not n_bytes <= n_found <= max_bytes:
        raise HeapError(f"a value of {n_bytes:,} bytes has {n_found:,}")
    return _bytes(descriptor, found, n_bytes)


def _find(descriptor: int, at: int, end: int, wanted: int) -> tuple[int, int]:
    """Find an object of a collection: where it lies, and its length."""
    for _ in range(_N_OBJECTS):
        if at + _OBJECT.size > end:
            break
        index, _, n_bytes = _OBJECT.unpack(_bytes(descriptor, at, _OBJECT.size))
        if index == _FREE:
            break
        if index == wanted:
            return at + _OBJECT.size, n_bytes
        at += _OBJECT.size + -(-n_bytes // _UNIT) * _UNIT
    raise HeapError(f"a heap collection has no object {wanted}")


def _bytes(descriptor: int, at: int, n: int) -> bytes:
    if at >= 2**63 - n:
        raise HeapError(f"bad address {at}")
    found = os.pread(descriptor, n, at)
    if len(found) < n:
        raise HeapError(f"the file ends {n - len(found):,} bytes too early")
    return found
