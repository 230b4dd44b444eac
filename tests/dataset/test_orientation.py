"""dataset.orientation: eight ways to hold a camera; damaged Exif data tell nothing."""

import io
import struct

import numpy as np
import pytest
from PIL import Image
from tests.tiles import JPEG, PIXELS, encoded

from skinlesion.dataset import orientation

ALL = range(1, 9)


def tiff(order: str, value: int, *, kind: int = 3, n: int = 1, tag: int = 0x0112) -> bytes:
    """Exif data with three entries, the orientation the second."""
    mark = b"II" if order == "<" else b"MM"
    entries = b"".join(
        struct.pack(f"{order}HHLHH", *entry, 0)
        for entry in ((0x0100, 3, 1, 7), (tag, kind, n, value), (0x0128, 3, 1, 2))
    )
    return mark + struct.pack(f"{order}HLH", 42, 8, 3) + entries + bytes(4)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("told", ALL)
def test_it_is_read_in_either_byte_order(order, told):
    assert orientation.of_tiff(tiff(order, told)) == told


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"II",
        b"II*\0\xff\xff\xff\xff",
        b"XX*\0\x08\0\0\0",
        tiff("<", 0),
        tiff("<", 9),
        tiff("<", 6, kind=4),
        tiff("<", 6, n=2),
        tiff("<", 6, tag=0x0113),
        tiff("<", 6)[:30],
    ],
)
def test_what_makes_no_sense_is_upright(data):
    assert orientation.of_tiff(data) == orientation.UPRIGHT


def test_exif_data_cut_anywhere_are_no_error():
    for n in range(len(tiff(">", 6))):
        assert orientation.of_tiff(tiff(">", 6)[:n]) in (1, 6)


def test_only_the_exif_segment_of_a_jpeg_tells():
    exif = Image.Exif()
    exif[274] = 6
    turned = encoded(kind="JPEG", exif=exif)
    comment = encoded(kind="JPEG", comment=b"Exif\0\0" + tiff("<", 3))
    behind = JPEG + b"Exif\0\0" + tiff("<", 3)

    assert orientation.of_jpeg(turned) == 6
    assert orientation.of_jpeg(JPEG) == orientation.UPRIGHT
    assert orientation.of_jpeg(comment) == orientation.UPRIGHT
    assert orientation.of_jpeg(behind) == orientation.UPRIGHT


def test_a_jpeg_cut_within_its_segments_is_no_error():
    exif = Image.Exif()
    exif[274] = 6
    turned = encoded(kind="JPEG", exif=exif)
    for n in range(2, 200):
        assert orientation.of_jpeg(turned[:n]) in (1, 6)


@pytest.mark.parametrize("told", ALL)
def test_a_tile_is_turned_as_pillow_turns_it(told):
    oblong = PIXELS[:9]
    exif = Image.Exif()
    exif[274] = told
    image = Image.open(io.BytesIO(encoded(oblong, exif=exif)))
    from PIL import ImageOps

    expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(orientation.upright(oblong, told), expected)


def test_each_orientation_is_another_and_is_undone_by_its_inverse():
    inverse = {told: told for told in ALL} | {6: 8, 8: 6}
    found = {orientation.upright(PIXELS, told).tobytes() for told in ALL}

    assert len(found) == 8
    for told in ALL:
        turned = orientation.upright(orientation.upright(PIXELS, told), inverse[told])
        np.testing.assert_array_equal(turned, PIXELS)
