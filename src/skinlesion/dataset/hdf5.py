"""Tiles in an HDF5 file: the bytes of one image per isic_id, in whatever way they were stored."""

from itertools import islice
from pathlib import Path

import h5py
import numpy as np

from skinlesion.dataset import heap, recognition
from skinlesion.dataset.images import MAX_PIXELS, ImageError
from skinlesion.errors import InputError

__all__ = ["Hdf5"]

MAX_BYTES = 4 * MAX_PIXELS  # an HDF5 entry may claim gigabytes that it does not hold
N_SEARCHED = 1000  # a file with more entries at its top has its tiles there

_EXPECTED = "must be bytes in this very file: a scalar, or one row of uint8"
_ALL, _ONE = h5py.h5s.ALL, ((), (1,))
_SIZES = (8, 8)  # of addresses and of lengths in the file, in bytes: always, nearly


class Hdf5:
    """Tiles in an HDF5 file. It is opened without a lock, which not every network disk grants."""

    def __init__(self, path: Path) -> None:
        """Open a file.

        Args:
            path: The file.

        Raises:
            InputError: It is no HDF5 file, or cannot be opened.
        """
        self._path = path
        if not path.is_file():  # a named pipe would be waited for
            raise InputError(f"{path} must be an HDF5 file. It is no file.")
        try:
            self._file = h5py.File(path, "r", locking=False)
        except Exception as error:  # any, by where the damage lies
            found = recognition.of_file(path, expected=recognition.HDF5) or _said(error)
            raise InputError(f"{path} must be an HDF5 file. {found}") from None

    def ids(self) -> list[str]:
        """List the isic_id of every tile, sorted; bytes that are no UTF-8 as of a file's name.

        Raises:
            InputError: The file is damaged.
        """
        try:
            names = list(self._file)
        except Exception as error:
            raise InputError(
                f"{self._path} must be a whole HDF5 file. Its tiles cannot be listed. "
                f"{_said(error)}"
            ) from None
        return sorted(
            n if isinstance(n, str) else n.decode(errors="surrogateescape") for n in names
        )

    def read(self, isic_id: str) -> bytes:
        """Return the encoded tile of one lesion.

        Args:
            isic_id: The lesion.

        Raises:
            ImageError: There is none, it is something else, or the file is damaged.
        """
        try:
            return _content(self._file.id, self._entry(isic_id))
        except ImageError:
            raise
        except Exception as error:
            raise ImageError(f"it cannot be read from {self._path}. {_said(error)}") from None

    def is_customary(self) -> bool:
        """Whether the file is laid out as the official ones are, to judge by its first tile.

        No damage to such a file is known to crash the HDF5 library.
        """
        try:
            made, top = self._file.id.get_create_plist(), h5py.h5g.open(self._file.id, b"/")
            is_ordered = top.get_create_plist().get_link_creation_order()
            is_old = made.get_version()[0] == 0 and not is_ordered
            return is_old and all(self._entry(i).get_offset() for i in islice(self._file, 1))
        except Exception:  # the file is damaged
            return False

    def group(self) -> str:
        """Tell which group holds the first dataset that is not at the top, such as "/images".

        "" where there is none, or much is at the top.
        """

        def below(name: str, entry: h5py.HLObject) -> str | None:
            is_below = "/" in name and isinstance(entry, h5py.Dataset)
            return f"/{name.rpartition('/')[0]}" if is_below else None

        try:
            return (len(self._file) <= N_SEARCHED and self._file.visititems(below)) or ""
        except Exception:  # the file is damaged: that is told elsewhere
            return ""

    def _entry(self, isic_id: str) -> h5py.h5d.DatasetID:
        # The low-level interface takes half the time of h5py's objects.
        top, name = self._file.id, isic_id.encode(errors="surrogateescape")
        # "x/y" would be a path, maybe through a link; what follows NUL would be ignored.
        if b"/" in name or b"\0" in name or not top.links.exists(name):
            raise ImageError(f"it has no tile in {self._path}.")
        if top.links.get_info(name).type != h5py.h5l.TYPE_HARD:
            raise ImageError(f"{_EXPECTED}. Got a link instead.")
        entry = h5py.h5o.open(top, name)
        if not isinstance(entry, h5py.h5d.DatasetID):
            raise ImageError(f"{_EXPECTED}. Got a group instead.")
        return entry


def _content(file: h5py.h5f.FileID, entry: h5py.h5d.DatasetID) -> bytes:
    kind, shape, at = entry.get_type(), entry.shape, entry.get_offset()
    if at is None:  # only what lies in one place in this very file has one
        _require_inside(entry)
    if shape in _ONE and _is_variable(kind):
        return _referred(file, entry, at)
    if shape in _ONE and isinstance(kind, h5py.h5t.TypeStringID):
        # Whatever the type says of the first NUL, an image holds some; only at the end are they
        # padding.
        content = np.empty(shape, f"V{_bounded(kind.get_size())}")
        return _filled(entry, kind, content).rstrip(b"\0")
    if shape in _ONE and isinstance(kind, h5py.h5t.TypeOpaqueID):
        return _filled(entry, kind, np.empty(shape, f"V{_bounded(kind.get_size())}"))
    if len(shape) == 1 and _is_uint8(kind):
        return _filled(entry, kind, np.empty(_bounded(shape[0]), np.uint8))
    found = f"a dataset of shape {shape} and type {h5py.Dataset(entry).dtype}"
    raise ImageError(f"{_EXPECTED}. Got {found} instead.")


def _filled(entry: h5py.h5d.DatasetID, kind: h5py.h5t.TypeID, values: np.ndarray) -> bytes:
    entry.read(_ALL, _ALL, values, kind)
    return values.tobytes()


def _referred(file: h5py.h5f.FileID, entry: h5py.h5d.DatasetID, at: int | None) -> bytes:
    """Read a value of variable length."""
    made = file.get_create_plist()
    if at is not None and made.get_sizes() == _SIZES:
        base = made.get_userblock()
        return heap.read(file.get_vfd_handle(), at, base=base, max_bytes=MAX_BYTES)
    return bytes(np.asarray(h5py.Dataset(entry)[()], object).item(0))


def _is_variable(kind: h5py.h5t.TypeID) -> bool:
    if isinstance(kind, h5py.h5t.TypeStringID):
        return bool(kind.is_variable_str())
    return isinstance(kind, h5py.h5t.TypeVlenID) and _is_uint8(kind.get_super())


def _is_uint8(kind: h5py.h5t.TypeID) -> bool:
    is_integer = isinstance(kind, h5py.h5t.TypeIntegerID)
    return is_integer and kind.get_size() == 1 and kind.get_sign() == h5py.h5t.SGN_NONE


def _bounded(n_bytes: int) -> int:
    if n_bytes > MAX_BYTES:
        raise ImageError(f"{_EXPECTED}. Got {n_bytes:,} bytes, more than {MAX_BYTES:,}, instead.")
    return n_bytes


def _require_inside(entry: h5py.h5d.DatasetID) -> None:
    if entry.get_space().get_simple_extent_type() == h5py.h5s.NULL:
        raise ImageError(f"{_EXPECTED}. Got a dataset without a value instead.")
    made = entry.get_create_plist()
    layout = made.get_layout()
    if layout == h5py.h5d.VIRTUAL or (layout == h5py.h5d.CONTIGUOUS and made.get_external_count()):
        raise ImageError(f"{_EXPECTED}. Got a dataset that lies in another file instead.")
    if layout == h5py.h5d.CHUNKED:
        _bounded(int(np.prod(made.get_chunk(), dtype=object)))


def _said(error: Exception) -> str:
    # That of a KeyError is its argument's repr, and some of HDF5 have no end of line.
    return str(error.args[0] if error.args else error).strip() or type(error).__name__
