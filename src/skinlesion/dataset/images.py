"""Tiles: from the bytes of a JPEG or PNG to pixels, as they were photographed."""

import io
import warnings

import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError

from skinlesion.dataset import orientation, recognition
from skinlesion.errors import InputError

__all__ = ["MAX_PIXELS", "ImageError", "decode", "square", "tile"]

# SLICE-3D's largest tile has 239 x 239 pixels. The bound keeps a forged header, which costs
# a few bytes, from taking all memory.
MAX_PIXELS = 5000 * 5000
# Of a progressive JPEG; encoders write about ten. One takes a few bytes, and milliseconds.
MAX_SCANS = 100
Image.MAX_IMAGE_PIXELS = None  # Pillow's own, higher bound would hide ours and its message
# Pillow looks into Exif data for the resolution, which is of no use here, and warns of damage.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")

_MODES = ("RGB", "L", "RGBA", "LA", "P", "1")
_JPEG_SCAN = b"\xff\xda"
_JPEG_START, _JPEG_COLOURS = b"\xff\xd8", ("YCbCr", "Gray", "RGB")


class ImageError(InputError):
    """One lesion's tile is absent or cannot be decoded."""


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
        data: A JPEG or PNG; greyscale and palette become RGB. What is transparent is blended
            onto white: no one has seen the colours under it. Turned as its Exif data tell.
        min_px: Where given, a larger JPEG is decoded at the smallest n/8 of its size that has as
            many pixels either way: its upper frequencies, which a resize would average out, are
            never computed.

    Returns:
        Shape (height, width, 3), uint8, 0 to 255.

    Raises:
        ImageError: It is empty, truncated, damaged as far as the decoder can tell, of an unknown
            format, of another colour space (CMYK), or has more than MAX_PIXELS pixels. Whether it
            is an error does not depend on min_px.

    Source:
        https://libjpeg-turbo.org/ on scaled decoding
    """
    if data[:2] == _JPEG_START:
        found = _jpeg(data, min_px or 0)
        if found is not None:
            return found
    return _any(data)


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

    None for what libjpeg-turbo refuses, which is for Pillow to say what is wrong with it.

    Raises:
        ImageError: libjpeg-turbo only warns: it made pixels up. Pillow, as viewers, says nothing.
    """
    n_scans = data.count(_JPEG_SCAN)
    if n_scans > MAX_SCANS:
        raise ImageError(f"must have at most {MAX_SCANS} scans. Got {n_scans:,}.")
    try:
        return _by_libjpeg(data, min_px, strict=True)
    except (ValueError, KeyError) as error:
        warning = error
    try:
        if _by_libjpeg(data, min_px, strict=False) is None:
            return None
    except (ValueError, KeyError):
        return None
    raise ImageError(f"must be a whole JPEG or PNG. {warning}")


def _by_libjpeg(data: bytes, min_px: int, *, strict: bool) -> np.ndarray | None:
    height, width, colours, _ = simplejpeg.decode_jpeg_header(data, strict=strict)
    if colours not in _JPEG_COLOURS or height * width > MAX_PIXELS:
        return None
    size = {"min_height": min_px, "min_width": min_px}
    found = simplejpeg.decode_jpeg(data, "RGB", **size, strict=strict)
    turned = orientation.of_jpeg(data)
    return found if turned == orientation.UPRIGHT else orientation.upright(found, turned)


def _any(data: bytes) -> np.ndarray:
    try:
        with _header(data) as image:
            exif = image.info.get("exif", b"").removeprefix(orientation.EXIF)
            return orientation.upright(_on_white(image), orientation.of_tiff(exif))
    except ImageError:
        raise
    except UnidentifiedImageError:
        head = bytes(data[: recognition.N_HEAD])
        reason = recognition.of(head) or f"It begins with {head[:4]!r}."
    except Exception as error:  # Pillow's are of any type, by where the damage lies
        reason = str(error) or type(error).__name__
    raise ImageError(f"must be a whole JPEG or PNG. {reason}")


def _on_white(image: Image.Image) -> np.ndarray:
    if not image.has_transparency_data:
        return np.asarray(image.convert("RGB"))
    seen = image.convert("RGBA")
    white = Image.new("RGBA", seen.size, "white")
    return np.asarray(Image.alpha_composite(white, seen).convert("RGB"))


def _header(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG"))
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageError(f"must have at most {MAX_PIXELS:,} pixels. Got {width} x {height}.")
    if image.mode not in _MODES:
        raise ImageError(f"must be RGB or greyscale, 8 bit. Got {image.mode}.")
    return image
