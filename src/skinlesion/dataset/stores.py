"""Where tiles are kept: bytes by isic_id, from an HDF5 file or a folder of files."""

from pathlib import Path
from typing import Protocol

from skinlesion.dataset.folder import Folder
from skinlesion.dataset.hdf5 import Hdf5
from skinlesion.errors import InputError

__all__ = ["Store", "group", "open_store"]


class Store(Protocol):
    """Where tiles are kept: bytes by isic_id."""

    def ids(self) -> list[str]:
        """List the isic_id of every tile, sorted; raise InputError where they cannot be."""

    def read(self, isic_id: str) -> bytes:
        """Return the encoded tile of one lesion, or raise ImageError, which leaves it unnamed."""


def open_store(path: Path) -> Store:
    """Open the tiles of a challenge folder.

    Args:
        path: An HDF5 file with one dataset per isic_id, a scalar of bytes or a row of uint8; or
            a folder that holds <isic_id>.jpg (or .jpeg, .png) at any depth.

    Returns:
        The store. It may be read from several threads.

    Raises:
        InputError: There is nothing at `path`, it is no HDF5 file, or two files of the
            folder have the same isic_id.
    """
    if path.is_dir():
        return Folder(path)
    if not path.exists():
        raise InputError(f"{path} must be an HDF5 file or a folder of tiles. There is none.")
    return Hdf5(path)


def group(store: Store) -> str:
    """Tell where tiles lie that are not where a store looks for them.

    Args:
        store: From `open_store`.

    Returns:
        A group of an HDF5 file, such as "/images"; "" where there is none.
    """
    return store.group() if isinstance(store, Hdf5) else ""
