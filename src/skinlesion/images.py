"""Tiles by isic_id: bytes from an HDF5 file or a folder of files, and their decoding."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import h5py
import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError

from skinlesion.errors import InputError

__all__ = ["MAX_PIXELS", "ImageError", "Store", "decode", "open_store", "size", "square", "tile"]

# SLICE-3D's largest tile has 239 x 239 pixels. The bound keeps a forged header, which costs
# a few bytes, from taking all memory.
MAX_PIXELS = 5000 * 5000
MAX_BYTES = 4 * MAX_PIXELS  # an HDF5 entry, too, may claim gigabytes that it does not hold
Image.MAX_IMAGE_PIXELS = None  # Pillow's own, higher bound would hide ours and its message

_MODES = ("RGB", "L", "RGBA", "LA", "P", "1")
_SUFFIXES = (".jpg", ".jpeg", ".png")
_JPEG_START, _JPEG_COLOURS = b"\xff\xd8", ("YCbCr", "Gray")


class ImageError(InputError):
    """One lesion's tile is absent or cannot be decoded."""


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


def tile(data: bytes, *, px: int) -> np.ndarray:
    """Decode one tile to the size that a network takes.

    Args:
        data: A JPEG or PNG.
        px: Width and height of the result, in pixels.

    Returns:
        Shape (px, px, 3), uint8, 0 to 255: the central square, as of `square`.

    Raises:
        ImageError: As for `decode`.
    """
    return square(decode(data, min_px=px), px=px)


def decode(data: bytes, *, min_px: int | None = None) -> np.ndarray:
    """Decode one tile.

    Args:
        data: A JPEG or PNG; greyscale and palette become RGB.
        min_px: Where given, a larger JPEG is decoded at the smallest n/8 of its size that has as
            many pixels either way: its upper frequencies, which a resize would average out, are
            never computed.

    Returns:
        Shape (height, width, 3), uint8, 0 to 255.

    Raises:
        ImageError: It is empty, truncated, of an unknown format, of another colour space
            (CMYK), or has more than MAX_PIXELS pixels.

    Source:
        https://libjpeg-turbo.org/ on scaled decoding
    """
    found = _jpeg(data, min_px or 0)
    return _any(data) if found is None else found


def size(data: bytes) -> tuple[int, int]:
    """Read the width and height of a tile, in pixels, from its header alone.

    Args:
        data: A JPEG or PNG.

    Raises:
        ImageError: As for `decode`, save for damage behind the header.
    """
    with _header(data) as image:
        return image.size


def square(image: np.ndarray, *, px: int) -> np.ndarray:
    """Cut the central square out of a tile and resize it.

    The lesion is at the centre of its tile by construction, so what is cut from a tile that
    is not square is its surroundings; stretching would alter the lesion's shape instead.

    Args:
        image: Shape (height, width, 3), uint8.
        px: Width and height of the result, in pixels.

    Returns:
        Shape (px, px, 3), uint8.
    """
    height, width, _ = image.shape
    if height == width == px:
        return image
    side = min(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    whole = Image.fromarray(image)
    return np.asarray(whole.resize((px, px), Image.Resampling.BILINEAR, box=box))


def _jpeg(data: bytes, min_px: int) -> np.ndarray | None:
    """Decode an intact JPEG, three times as fast as Pillow and to the same pixels.

    None for anything else, which is for Pillow to decode, or to say what is wrong with it.
    """
    if data[:2] != _JPEG_START:
        return None
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
        if colours not in _JPEG_COLOURS or height * width > MAX_PIXELS:
            return None
        found = simplejpeg.decode_jpeg(data, "RGB", min_height=min_px, min_width=min_px)
    except ValueError:
        return None
    return np.asarray(found)


def _any(data: bytes) -> np.ndarray:
    try:
        with _header(data) as image:
            image.info.pop("transparency", None)  # of a palette: convert() warns and ignores it
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError(f"must be a whole JPEG or PNG. {error}") from None


def _header(data: bytes) -> Image.Image:
    if not data:
        raise ImageError("must be a whole JPEG or PNG. It is empty.")
    try:
        image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG"))
    except UnidentifiedImageError:
        raise ImageError(f"must be a whole JPEG or PNG. It begins with {data[:4]!r}.") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageError(f"must be a whole JPEG or PNG. {error}") from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageError(f"must have at most {MAX_PIXELS:,} pixels. Got {width} x {height}.")
    if image.mode not in _MODES:
        raise ImageError(f"must be RGB or greyscale, 8 bit. Got {image.mode}.")
    return image


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
