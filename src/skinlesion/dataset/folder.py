"""Tiles in a folder of files, at any depth."""

from collections.abc import Iterable
from pathlib import Path

from skinlesion.dataset.images import ImageError
from skinlesion.errors import InputError

__all__ = ["Folder"]

_SUFFIXES = (".jpg", ".jpeg", ".png")


class Folder:
    """Tiles in a folder: <isic_id>.jpg, .jpeg or .png at any depth."""

    def __init__(self, path: Path) -> None:
        """List a folder.

        Args:
            path: The folder.

        Raises:
            InputError: Two files have the same isic_id.
        """
        files = sorted(f for f in path.rglob("*") if f.suffix.lower() in _SUFFIXES)
        self._files = {file.stem: file for file in files}
        self._path = path
        if len(self._files) != len(files):
            twice = _repeated(file.stem for file in files)
            raise InputError(f"{path} must hold one tile per isic_id. Got several of {twice}.")

    def ids(self) -> list[str]:
        """List the isic_id of every tile, sorted."""
        return sorted(self._files)

    def read(self, isic_id: str) -> bytes:
        """Return the encoded tile of one lesion.

        Args:
            isic_id: The lesion.

        Raises:
            ImageError: There is none, or it cannot be read.
        """
        if isic_id not in self._files:
            raise ImageError(f"it has no tile in {self._path}.")
        try:
            return self._files[isic_id].read_bytes()
        except OSError as error:
            raise ImageError(f"it cannot be read. {error}") from None


def _repeated(names: Iterable[str], n: int = 10) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)][:n]  # type: ignore[func-returns-value]
