"""Tiles as they arrive: refused by their size before a pixel is decoded."""

import io
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from PIL import Image

from skinlesion.serving import refusal
from skinlesion.serving.form import Part
from skinlesion.serving.settings import Settings

__all__ = ["by_lesion", "checked"]

SUFFIXES = (".jpg", ".jpeg", ".png")


def checked(part: Part, field: str, settings: Settings) -> bytes:
    """Check a tile by its header; damage behind it is for the bundle to say.

    Args:
        part: With its bytes.
        field: What the sender knows it by.
        settings: With tile_bytes and tile_px.

    Returns:
        The bytes.

    Raises:
        RefusalError: 422, it is neither JPEG nor PNG; 413, it has more bytes or pixels than a tile
            may have. A few bytes can declare any number of pixels.
    """
    content, _ = _small(part, field, settings)
    if _size(content) is None:
        found = f"{len(content):,} bytes that begin otherwise" if content else "nothing"
        raise refusal.one(422, field, "a JPEG or PNG", found)
    return content


def by_lesion(parts: Iterable[Part], settings: Settings) -> Mapping[str, bytes]:
    """Check the tiles of a patient.

    Args:
        parts: Files named <isic_id>.jpg, .jpeg or .png, in any folder.
        settings: As for `checked`.

    Returns:
        The bytes by isic_id. What is no JPEG or PNG stays: one tile of hundreds that is damaged
        is a lesion that cannot be read, no reason to refuse the others.

    Raises:
        RefusalError: 413, as for `checked`, or all tiles together have more pixels than those of
            a request may have; 422, a file is named otherwise, or two are of one
            lesion.
    """
    found: dict[str, bytes] = {}
    n_px = 0
    for part in parts:
        path = PurePosixPath(part.filename.replace("\\", "/"))
        if path.suffix.lower() not in SUFFIXES:
            expected = "a file named by its isic_id, .jpg, .jpeg or .png"
            raise refusal.one(422, "tiles", expected, part.filename or "no name")
        if path.stem in found:
            raise refusal.one(422, f"tiles: {path.stem}", "one tile per lesion", "two")
        found[path.stem], of_tile = _small(part, f"tiles: {path.name}", settings)
        n_px += of_tile
        if n_px > settings.request_px:
            expected = f"at most {settings.request_px:,} pixels of all tiles"
            raise refusal.one(413, "tiles", expected, "more")
    return found


def _small(part: Part, field: str, settings: Settings) -> tuple[bytes, int]:
    """The bytes of a tile, and its pixels."""
    if len(part.content) > settings.tile_bytes:
        expected = f"at most {settings.tile_bytes:,} bytes"
        raise refusal.one(413, field, expected, f"{len(part.content):,}")
    content = bytes(part.content)
    width, height = _size(content) or (0, 0)
    if width * height > settings.tile_px:
        expected = f"at most {settings.tile_px:,} pixels"
        raise refusal.one(413, field, expected, f"{width} x {height}")
    return content, width * height


def _size(content: bytes) -> tuple[int, int] | None:
    """Width and height by the header; None for what is neither JPEG nor PNG."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
            return image.size
    except Exception:  # Pillow's are of any type, by where the damage lies
        return None
