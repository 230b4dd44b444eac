"""Where tiles are kept: bytes by isic_id, from an HDF5 file or a folder of files."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import h5py
import numpy as np

from skinlesion.dataset.images import MAX_PIXELS, ImageError
from skinlesion.errors import InputError

__all__ = ["Store", "open_store"]

MAX_BYTES = 4 * MAX_PIXELS  # an HDF5 entry may claim gigabytes that it does not hold
_SUFFIXES = (".jpg", ".jpeg", ".png")


class Store(Protocol):
    """Where tiles are kept: bytes by isic_id."""

    def ids(self) -> list[str]:
        """List the isic_id of every tile, sorted."""

    def read(self, isic_id: str) -> bytes:
        """Return the encoded tile of one lesion, or raise ImageError, which leaves it unnamed."""


def open_store(path: Path) -> Store:
    """Open the tiles of a challenge folder.

    Args:
        path: An HDF5 file with one scalar bytes dataset per isic_id, or a folder that holds
            <isic_id>.jpg (or .jpeg, .png) at any depth.

    Returns:
        The store. It may be read from several threads.

    Raises:
        InputError: There is nothing at `path`, it is no HDF5 file, or two files of the
            folder have the same isic_id.
    """
    if path.is_dir():
        return _Folder(path)
    if not path.exists():
        raise InputError(f"{path} must be an HDF5 file or a folder of tiles. There is none.")
    return _Hdf5(path)


class _Hdf5:
    def __init__(self, path: Path) -> None:
        try:
            self._file = h5py.File(path, "r")
        except OSError as error:
            found = "It is empty." if path.stat().st_size == 0 else f"{error}"
            raise InputError(f"{path} must be an HDF5 file. {found}") from None
        self._path = path

    def ids(self) -> list[str]:
        return sorted(self._file)

    def read(self, isic_id: str) -> bytes:
        try:
            plain = _plain(self._file, isic_id)
            if plain is not None:
                return plain
            value = self._dataset(isic_id)[()]
        except (OSError, RuntimeError) as error:
            raise ImageError(f"it cannot be read from {self._path}. {error}") from None
        return value.tobytes() if isinstance(value, np.void) else bytes(value)

    def _dataset(self, isic_id: str) -> h5py.Dataset:
        # "x/y" would be a path, maybe through a link; what follows NUL would be ignored.
        named = not {"/", "\0"} & set(isic_id)
        link = self._file.get(isic_id, getlink=True) if named else None
        if link is None:
            raise ImageError(f"it has no tile in {self._path}.")
        entry = self._file[isic_id] if isinstance(link, h5py.HardLink) else None
        found = "a link" if entry is None else _kind(entry)
        if found:
            expected = "a scalar dataset of bytes in this very file"
            raise ImageError(f"must be {expected}. Got {found} instead.")
        return entry


def _plain(file: h5py.File, isic_id: str) -> bytes | None:
    """Read an entry of the customary kind: a scalar of a fixed number of bytes, in this file.

    Half the work of h5py's objects. None for anything else, which is for them to read, or to say
    what it is.
    """
    name = isic_id.encode()
    if b"/" in name or b"\0" in name or not file.id.links.exists(name):
        return None
    if file.id.links.get_info(name).type != h5py.h5l.TYPE_HARD:
        return None
    entry = h5py.h5o.open(file.id, name)
    # Only what lies in one place in this very file has an offset.
    if not isinstance(entry, h5py.h5d.DatasetID) or entry.shape != () or entry.get_offset() is None:
        return None
    kind = entry.get_type()
    if not _is_bytes(kind) or kind.get_size() > MAX_BYTES:
        return None
    value = np.empty((), f"V{kind.get_size()}")
    entry.read(h5py.h5s.ALL, h5py.h5s.ALL, value, kind)
    is_padded = isinstance(kind, h5py.h5t.TypeStringID)
    return value.tobytes().rstrip(b"\0") if is_padded else value.tobytes()


def _is_bytes(kind: h5py.h5t.TypeID) -> bool:
    if isinstance(kind, h5py.h5t.TypeStringID):
        return not kind.is_variable_str() and kind.get_strpad() == h5py.h5t.STR_NULLPAD
    return isinstance(kind, h5py.h5t.TypeOpaqueID)


def _kind(entry: h5py.HLObject) -> str:
    """Say what an HDF5 entry is, if it is not a scalar dataset of bytes."""
    if not isinstance(entry, h5py.Dataset):
        return "a group"
    shape, dtype = entry.shape, entry.dtype
    is_bytes = dtype.kind in "SV" or h5py.check_string_dtype(dtype) is not None
    if shape != () or not is_bytes:
        return f"a dataset of shape {shape} and type {dtype}"
    if entry.external or entry.is_virtual:
        return "a dataset that lies in another file"
    if dtype.itemsize > MAX_BYTES:
        return f"{dtype.itemsize:,} bytes, more than {MAX_BYTES:,},"
    return ""


class _Folder:
    def __init__(self, path: Path) -> None:
        files = sorted(f for f in path.rglob("*") if f.suffix.lower() in _SUFFIXES)
        self._files = {file.stem: file for file in files}
        self._path = path
        if len(self._files) != len(files):
            twice = _repeated(file.stem for file in files)
            raise InputError(f"{path} must hold one tile per isic_id. Got several of {twice}.")

    def ids(self) -> list[str]:
        return sorted(self._files)

    def read(self, isic_id: str) -> bytes:
        if isic_id not in self._files:
            raise ImageError(f"it has no tile in {self._path}.")
        try:
            return self._files[isic_id].read_bytes()
        except OSError as error:
            raise ImageError(f"it cannot be read. {error}") from None


def _repeated(names: Iterable[str], n: int = 10) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)][:n]  # type: ignore[func-returns-value]
