"""serving.tiles: size and kind by the header, before a pixel is decoded."""

import io
import struct
import zlib

import pytest
from PIL import Image
from tests.serving_bundle import tile

from skinlesion.serving import form, refusal, settings, tiles

LIMITS = settings.load({"tile_bytes": 2000, "tile_px": 100})


def part(content: bytes, filename: str = "a.png") -> form.Part:
    return form.Part("tiles", filename, bytearray(content))


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that declares any number of pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def refused(content: bytes) -> refusal.RefusalError:
    with pytest.raises(refusal.RefusalError) as error:
        tiles.checked(part(content), "tile", LIMITS)
    return error.value


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_a_tile_within_the_limits_is_taken_as_it_is(kind):
    file = io.BytesIO()
    Image.new("RGB", (10, 10)).save(file, kind)

    assert tiles.checked(part(file.getvalue()), "tile", LIMITS) == file.getvalue()


@pytest.mark.parametrize("content", [b"", b"GIF89a" + b"\0" * 50, b"\x89PNG", b"<svg/>"])
def test_what_is_no_jpeg_or_png_is_refused_with_what_is_expected(content):
    error = refused(content)

    assert (error.status, error.findings[0].expected) == (422, "a JPEG or PNG")


@pytest.mark.parametrize("size", [(101, 1), (11, 10), (60_000, 60_000)])
def test_too_many_pixels_are_refused_by_the_header(size, monkeypatch):
    monkeypatch.setattr(Image.Image, "load", None)  # nothing may be decoded
    error = refused(bomb(*size))

    assert (error.status, error.findings[0].found) == (413, f"{size[0]} x {size[1]}")


def test_too_many_bytes_are_refused():
    assert refused(tile() + b"\0" * 2000).status == 413


@pytest.mark.parametrize(
    "name", ["ISIC_1.png", "a/b/ISIC_1.JPG", "C:\\tiles\\ISIC_1.jpeg", "../../ISIC_1.png"]
)
def test_a_tile_is_of_the_lesion_that_its_file_is_named_by(name):
    assert list(tiles.by_lesion([part(tile(), name)], LIMITS)) == ["ISIC_1"]


@pytest.mark.parametrize("name", ["", "ISIC_1", "ISIC_1.gif", "ISIC_1.png.exe"])
def test_a_file_named_otherwise_is_refused(name):
    with pytest.raises(refusal.RefusalError) as error:
        tiles.by_lesion([part(tile(), name)], LIMITS)
    assert error.value.status == 422


def test_two_tiles_of_one_lesion_are_refused():
    with pytest.raises(refusal.RefusalError) as error:
        tiles.by_lesion([part(tile(), "a.png"), part(tile(), "a.jpg")], LIMITS)
    assert error.value.findings[0].field == "tiles: a"


def test_a_damaged_tile_of_a_patient_stays_for_the_bundle_to_name():
    assert tiles.by_lesion([part(b"", "a.png")], LIMITS) == {"a": b""}


def test_a_bomb_among_the_tiles_of_a_patient_is_refused_by_its_name():
    with pytest.raises(refusal.RefusalError) as error:
        tiles.by_lesion([part(tile(), "a.png"), part(bomb(5000, 5000), "b.png")], LIMITS)
    assert (error.value.status, error.value.findings[0].field) == (413, "tiles: b.png")


def test_the_pixels_of_all_tiles_together_are_limited():
    """A tile of any size within its own limit takes a few bytes."""
    limits = settings.load({"tile_px": 100, "request_px": 250})
    two = [part(bomb(10, 10), f"{i}.png") for i in range(2)]

    assert len(tiles.by_lesion(two, limits)) == 2
    with pytest.raises(refusal.RefusalError) as refused:
        tiles.by_lesion([*two, part(bomb(10, 10), "2.png")], limits)
    assert refused.value.status == 413
