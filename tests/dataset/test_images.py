"""dataset.images: every kind of tile becomes the same pixels; what is broken is refused."""

import contextlib
import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps
from tests.tiles import JPEG, KINDS, PIXELS, encoded

from skinlesion.dataset import images, orientation
from skinlesion.errors import InputError


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size, and holds no pixel."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    end = b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    sized = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + sized + struct.pack(">I", 0) + end


def jpeg_header(width: int, height: int) -> bytes:
    """A JPEG that claims a size, and holds the pixels of a small one."""
    data = bytearray(encoded(kind="JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def smooth(px: int) -> np.ndarray:
    """A tile without fine detail, which no resize can blur."""
    y, x = np.mgrid[:px, :px] / px
    waves = [np.sin(3 * x + 2 * y), np.cos(4 * x * y), np.sin(5 * y)]
    return (127 + 90 * np.stack(waves, axis=-1)).astype(np.uint8)


# === Decoding ===


def test_a_png_decodes_to_its_very_pixels():
    np.testing.assert_array_equal(images.decode(encoded()), PIXELS)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("RGB", "JPEG"),
        ("L", "JPEG"),
        ("L", "PNG"),
        ("LA", "PNG"),
        ("P", "PNG"),
        ("1", "PNG"),
        ("RGBA", "PNG"),
    ],
)
def test_every_kind_of_tile_becomes_rgb(mode, kind):
    tile = images.decode(encoded(mode=mode, kind=kind))
    assert tile.shape == (24, 24, 3)
    assert tile.dtype == np.uint8
    if kind == "PNG":
        expected = Image.fromarray(PIXELS).convert(mode).convert("RGB")
        np.testing.assert_array_equal(tile, np.asarray(expected))
    if mode in ("L", "LA", "1"):
        assert (tile == tile[:, :, :1]).all()


@pytest.mark.parametrize("alpha", [0, 1, 128, 254, 255])
def test_what_is_transparent_is_blended_onto_white(alpha):
    layers = np.dstack([PIXELS, np.full((24, 24), alpha, np.uint8)])
    share = alpha / 255
    expected = share * PIXELS.astype(float) + (1 - share) * 255

    assert np.abs(images.decode(encoded(layers, "RGBA")) - expected).max() <= 1


def test_what_lies_under_full_transparency_does_not_matter():
    hole = np.full((24, 24), 255, np.uint8)
    hole[:9] = 0
    one, other = np.dstack([PIXELS, hole]), np.dstack([PIXELS, hole])
    other[:9, :, :3] = 77
    decoded = images.decode(encoded(one, "RGBA"))

    np.testing.assert_array_equal(decoded, images.decode(encoded(other, "RGBA")))
    assert (decoded[:9] == 255).all()
    np.testing.assert_array_equal(decoded[9:], PIXELS[9:])


@pytest.mark.parametrize(
    ("mode", "transparent"), [("P", bytes(range(200))), ("P", 3), ("L", 7), ("RGB", (1, 2, 3))]
)
def test_transparency_without_a_channel_of_its_own_is_blended_too(mode, transparent):
    data = encoded(mode=mode, transparency=transparent)
    seen = Image.open(io.BytesIO(data)).convert("RGBA")
    white = Image.new("RGBA", seen.size, "white")
    expected = np.asarray(Image.alpha_composite(white, seen).convert("RGB"))

    np.testing.assert_array_equal(images.decode(data), expected)


# === Orientation ===


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("told", range(1, 9))
def test_a_tile_is_turned_as_its_exif_data_tell(kind, told):
    oblong = smooth(32)[:20]
    exif = Image.Exif()
    exif[274] = told
    data = encoded(oblong, kind=kind, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")

    np.testing.assert_array_equal(images.decode(data), np.asarray(expected))


@pytest.mark.parametrize("told", range(1, 9))
def test_a_tile_is_turned_at_every_scale(told):
    exif = Image.Exif()
    exif[274] = told
    found = images.tile(encoded(smooth(131), kind="JPEG", exif=exif), px=32)
    whole = Image.fromarray(smooth(131)).resize((32, 32), Image.Resampling.BILINEAR)
    expected = orientation.upright(np.asarray(whole), told)

    assert np.abs(found.astype(int) - expected).max() <= 16


def test_a_tile_is_as_high_and_as_wide_as_it_is():
    tile = encoded(PIXELS[:9])
    assert images.decode(tile).shape == (9, 24, 3)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"progressive": True}])
def test_a_jpeg_decodes_to_the_pixels_that_pillow_gives(mode, options):
    data = encoded(mode=mode, kind="JPEG", **options)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

    np.testing.assert_array_equal(images.decode(data), expected)


@pytest.mark.parametrize("side", [64, 65, 90, 131, 239, 400, 1500])
def test_a_large_jpeg_is_decoded_no_larger_than_it_must_be(side):
    data = encoded(smooth(side), kind="JPEG", quality=95)
    found = images.decode(data, min_px=64)

    assert 64 <= min(found.shape[:2]) <= 64 + side / 8
    whole = images.square(images.decode(data), px=64)
    assert np.abs(images.tile(data, px=64).astype(int) - whole).max() <= 12
    assert np.abs(images.tile(data, px=64).astype(int) - whole).mean() < 2


@pytest.mark.parametrize(("width", "height"), [(200, 150), (90, 300)])
def test_neither_side_of_a_tile_is_decoded_smaller_than_asked(width, height):
    data = encoded(smooth(300)[:height, :width], kind="JPEG")

    assert min(images.decode(data, min_px=64).shape[:2]) >= 64


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("px", [16, 24, 40])
def test_a_tile_has_the_size_that_was_asked_for(kind, px):
    assert images.tile(encoded(smooth(24), kind=kind), px=px).shape == (px, px, 3)


NOISY = (smooth(64).astype(int) + PIXELS[0, 0, 0] * np.eye(64, dtype=int)[..., None]) % 256
FLAVOURS = {
    "baseline": {},
    "progressive": {"progressive": True},
    "restart markers": {"restart_marker_blocks": 4},
    "RGB inside": {"keep_rgb": True},
    "grey": {"mode": "L"},
}
END = b"\xff\xd9"


def damaged(data: bytes) -> dict[str, bytes]:
    """JPEGs that a viewer shows without a word, their second half made up."""
    half = data[: len(data) // 2]
    n = len(data) - len(half)
    return {
        "cut, with an end": half + END,
        "zeros": half + bytes(n),
        "zeros, with an end": half + bytes(n - 2) + END,
        "a lost piece": half + data[len(half) + n // 4 :],
        "no end": data[:-2],
    }


@pytest.mark.parametrize("flavour", FLAVOURS.values(), ids=FLAVOURS)
@pytest.mark.parametrize("kind", damaged(JPEG))
@pytest.mark.parametrize("min_px", [None, 8, 30, 64])
def test_a_jpeg_whose_decoder_makes_pixels_up_is_refused_at_every_scale(flavour, kind, min_px):
    whole = encoded(NOISY.astype(np.uint8), kind="JPEG", quality=95, **flavour)
    images.decode(whole, min_px=min_px)
    with pytest.raises(images.ImageError, match=r"must be a whole JPEG or PNG\. .*[a-z]"):
        images.decode(damaged(whole)[kind], min_px=min_px)


def test_what_is_refused_does_not_depend_on_the_scale():
    whole, rng = encoded(NOISY.astype(np.uint8), kind="JPEG"), np.random.default_rng(0)
    refused = []
    for at in rng.integers(2, len(whole), 400):
        data = whole[:at] + bytes([rng.integers(256)]) + whole[at + 1 :]
        verdicts = {refusal(data, px) for px in (None, 8, 24, 64)}
        assert len(verdicts) == 1, (at, verdicts)
        refused += verdicts

    assert 40 < sum(map(bool, refused)) < 390


def refusal(data: bytes, min_px: int | None) -> str:
    try:
        images.decode(data, min_px=min_px)
    except images.ImageError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("data", [b"", bytearray()])
def test_an_empty_tile_is_refused(data):
    with pytest.raises(images.ImageError, match=r"must be a whole JPEG or PNG\. It is empty\."):
        images.decode(data)


def test_text_is_no_image_and_called_text():
    with pytest.raises(images.ImageError, match=r"a whole JPEG or PNG\. It is text, as a CSV"):
        images.decode(b"isic_id,target")


@pytest.mark.parametrize("data", [b"GIF89a" + b"\0" * 30, b"BM" + b"\0" * 60])
def test_what_is_no_image_is_refused_by_its_first_bytes(data):
    with pytest.raises(images.ImageError, match="must be a whole JPEG or PNG") as refused:
        images.decode(data)
    assert repr(data[:4]) in str(refused.value)


def test_an_image_of_another_format_is_refused():
    for kind in ("GIF", "BMP", "TIFF", "PPM"):
        with pytest.raises(images.ImageError, match="must be a whole JPEG or PNG"):
            images.decode(encoded(kind=kind))


@pytest.mark.parametrize("tile", KINDS.values(), ids=KINDS)
def test_a_tile_cut_anywhere_is_refused(tile):
    # The last bytes, a checksum and the mark of the end, hold no pixel.
    for n in range(1, len(tile) - 20, 7):
        with pytest.raises(images.ImageError, match="must be a whole JPEG or PNG"):
            images.decode(tile[:n])


@pytest.mark.parametrize(("mode", "kind"), [("CMYK", "JPEG"), ("YCbCr", "JPEG"), ("I;16", "PNG")])
def test_another_colour_space_is_refused_by_name(mode, kind):
    if mode == "YCbCr":  # what every colour JPEG is inside
        assert images.decode(encoded(mode=mode, kind=kind)).shape == (24, 24, 3)
        return
    tile = (
        encoded(np.zeros((9, 9), np.uint16), "I;16")
        if mode == "I;16"
        else encoded(mode=mode, kind=kind)
    )
    with pytest.raises(images.ImageError, match=rf"must be RGB or greyscale, 8 bit\. Got {mode}"):
        images.decode(tile)


@pytest.mark.parametrize("header", [png_header, jpeg_header])
@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (5001, 5000), (65_000, 400)])
def test_a_forged_header_is_refused_before_memory_is_taken(header, width, height):
    tile = header(width, height)
    assert len(tile) < 2000
    tracemalloc.start()
    with pytest.raises(
        images.ImageError, match=rf"must have at most 25,000,000 pixels\. Got {width} x {height}"
    ):
        images.decode(tile)
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


def test_the_largest_size_is_allowed():
    with pytest.raises(images.ImageError, match="must be a whole JPEG or PNG"):  # no pixels
        images.decode(png_header(5000, 5000))


@pytest.mark.parametrize("seed", range(4))
def test_damage_anywhere_is_an_image_error_or_an_image(seed):
    rng = np.random.default_rng(seed)
    whole = [encoded(mode=m, kind=k) for m, k in [("RGB", "JPEG"), ("P", "PNG"), ("RGBA", "PNG")]]
    for i in range(300):
        tile = bytearray(whole[i % 3])
        for at in rng.integers(0, len(tile) if i % 2 else 100, 3):
            tile[at] = rng.integers(0, 256)
        with contextlib.suppress(images.ImageError):
            assert images.decode(bytes(tile)).dtype == np.uint8


def test_an_image_error_is_an_input_error():
    assert issubclass(images.ImageError, InputError)


# === The square ===


def test_a_square_tile_of_the_right_size_is_left_alone():
    np.testing.assert_array_equal(images.square(PIXELS, px=24), PIXELS)


@pytest.mark.parametrize("px", [8, 24, 64])
def test_the_square_has_the_size_asked_for(px):
    for shape in [(24, 24, 3), (9, 24, 3), (24, 9, 3), (1, 1, 3), (1, 50, 3)]:
        tile = images.square(np.full(shape, 200, np.uint8), px=px)
        assert tile.shape == (px, px, 3)
        assert tile.dtype == np.uint8
        assert (tile == 200).all()


def test_of_an_oblong_tile_the_central_square_is_kept():
    border = np.zeros((24, 7, 3), np.uint8)
    wide = np.hstack([border, PIXELS, border])
    high = np.vstack([border.swapaxes(0, 1), PIXELS, border.swapaxes(0, 1)])
    for tile in (wide, high):
        np.testing.assert_array_equal(images.square(tile, px=24), PIXELS)


@pytest.mark.parametrize("px", [12, 24, 50])
def test_what_lies_outside_the_square_does_not_matter_save_next_to_it(px):
    wide = np.hstack([PIXELS[:, :10], PIXELS, PIXELS[:, 14:]])
    other = wide.copy()
    other[:, :8], other[:, -8:] = 0, 255
    np.testing.assert_array_equal(images.square(other, px=px), images.square(wide, px=px))


@pytest.mark.parametrize("shape", [(24, 24), (24, 37), (40, 24)])
def test_a_turned_or_flipped_tile_gives_the_turned_or_flipped_square(shape):
    tile = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    square = images.square(tile, px=16).astype(int)
    for change in (np.fliplr, np.flipud, lambda a: a.swapaxes(0, 1)):
        changed = images.square(np.ascontiguousarray(change(tile)), px=16)
        assert np.abs(changed - change(square)).max() <= 1


# === What a few bytes could take ===


def test_a_jpeg_of_more_scans_than_any_encoder_writes_is_refused_before_it_is_decoded():
    """Each repeated scan takes fourteen bytes, and the time of the whole picture."""
    file = io.BytesIO()
    Image.fromarray(smooth(64)).save(file, "JPEG", progressive=True)
    whole = file.getvalue()
    last = whole[whole.rindex(b"\xff\xda") : -2]

    assert images.decode(whole).shape == (64, 64, 3)
    with pytest.raises(images.ImageError, match=r"must have at most 100 scans\. Got 1\d\d"):
        images.decode(whole[:-2] + 100 * last + whole[-2:])
