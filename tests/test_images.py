"""skinlesion.images: a tile is the same bytes wherever it is kept; what is broken is refused."""

import contextlib
import io
import struct
import tracemalloc
import zlib

import h5py
import numpy as np
import pytest
from PIL import Image

from skinlesion import images
from skinlesion.errors import InputError

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)


def encoded(pixels: np.ndarray = PIXELS, mode: str = "RGB", kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, kind, **options)
    return file.getvalue()


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


JPEG = encoded(kind="JPEG")
KINDS = {"JPEG": JPEG, "PNG": encoded()}


@pytest.fixture
def hdf5(tmp_path):
    """Write an HDF5 file with `write(file)`; open it as a store."""

    def hdf5(write) -> images.Store:
        with h5py.File(tmp_path / "train-image.hdf5", "w") as file:
            write(file)
        return images.open_store(tmp_path / "train-image.hdf5")

    return hdf5


# === Stores ===


def test_a_missing_store_is_named(tmp_path):
    path = tmp_path / "train-image.hdf5"
    with pytest.raises(InputError, match=rf"{path} must be an HDF5 file or a folder .* is none"):
        images.open_store(path)


def test_an_empty_file_is_named_and_called_empty(tmp_path):
    path = tmp_path / "train-image.hdf5"
    path.touch()
    with pytest.raises(InputError, match=rf"{path} must be an HDF5 file\. It is empty\."):
        images.open_store(path)


@pytest.mark.parametrize("broken", ["truncated", "text"])
def test_a_file_that_is_no_hdf5_is_named(tmp_path, broken):
    path = tmp_path / "train-image.hdf5"
    with h5py.File(path, "w") as file:
        file["ISIC_1"] = np.void(JPEG)
    whole = path.read_bytes()
    path.write_bytes(b"isic_id,target\n" if broken == "text" else whole[: len(whole) // 2])
    with pytest.raises(InputError, match=rf"{path} must be an HDF5 file\. \S"):
        images.open_store(path)


def test_a_file_and_a_folder_give_the_same_ids_and_bytes(hdf5, tmp_path):
    tiles = {"ISIC_3": JPEG, "ISIC_1": KINDS["PNG"], "ISIC_2": encoded(PIXELS[:9], kind="JPEG")}
    (tmp_path / "tiles").mkdir()
    for isic_id, tile in tiles.items():
        (tmp_path / "tiles" / f"{isic_id}.jpg").write_bytes(tile)
    stores = [
        hdf5(lambda file: [file.create_dataset(i, data=np.void(t)) for i, t in tiles.items()]),
        images.open_store(tmp_path / "tiles"),
    ]
    for store in stores:
        assert store.ids() == ["ISIC_1", "ISIC_2", "ISIC_3"]
        assert {i: store.read(i) for i in store.ids()} == tiles


def test_an_absent_tile_is_refused_with_the_name_of_the_store(hdf5, tmp_path):
    (tmp_path / "tiles").mkdir()
    for store, name in [
        (hdf5(lambda file: None), "train-image.hdf5"),
        (images.open_store(tmp_path / "tiles"), "tiles"),
    ]:
        with pytest.raises(images.ImageError, match=rf"it has no tile in {tmp_path / name}\."):
            store.read("ISIC_1")


# === HDF5 ===

OPAQUE, FIXED, VARIABLE = "opaque", "fixed-length string", "variable-length string"
KEPT = {
    OPAQUE: lambda file, data: file.create_dataset("ISIC_1", data=np.void(data)),
    FIXED: lambda file, data: file.create_dataset("ISIC_1", data=np.bytes_(data)),
    VARIABLE: lambda file, data: file.create_dataset(
        "ISIC_1", data=data, dtype=h5py.string_dtype("ascii")
    ),
}


@pytest.mark.parametrize("kept", [OPAQUE, FIXED])
@pytest.mark.parametrize("tile", KINDS.values(), ids=KINDS)
def test_a_tile_comes_back_to_the_byte(hdf5, kept, tile):
    assert b"\0" in tile
    assert hdf5(lambda file: KEPT[kept](file, tile)).read("ISIC_1") == tile


@pytest.mark.parametrize("kept", [OPAQUE, FIXED, VARIABLE])
def test_bytes_without_nul_come_back_from_every_type(hdf5, kept):
    data = bytes(range(1, 256))
    assert hdf5(lambda file: KEPT[kept](file, data)).read("ISIC_1") == data


def test_nul_bytes_at_the_end_are_kept_by_the_opaque_type(hdf5):
    assert hdf5(lambda file: KEPT[OPAQUE](file, JPEG + b"\0\0")).read("ISIC_1") == JPEG + b"\0\0"


def test_nul_bytes_at_the_end_of_a_fixed_length_string_are_padding(hdf5):
    def padded(file):
        file.create_dataset("ISIC_1", data=np.array(JPEG, f"S{len(JPEG) + 50}"))

    assert hdf5(padded).read("ISIC_1") == JPEG


def test_an_image_with_nul_bytes_behind_it_decodes_alike():
    for tile in KINDS.values():
        np.testing.assert_array_equal(images.decode(tile + b"\0" * 50), images.decode(tile))


def external(file):
    file["ISIC_1"] = h5py.ExternalLink("other.hdf5", "ISIC_1")


def soft(file):
    file["other"] = np.void(JPEG)
    file["ISIC_1"] = h5py.SoftLink("/other")


def virtual(file):
    layout = h5py.VirtualLayout((), dtype=f"V{len(JPEG)}")
    layout[()] = h5py.VirtualSource("other.hdf5", "ISIC_1", shape=(), dtype=f"V{len(JPEG)}")
    file.create_virtual_dataset("ISIC_1", layout)


def raw(file):
    layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    layout.set_external(b"/etc/hostname", 0, 4)
    opaque, scalar = h5py.h5t.py_create(np.dtype("V4")), h5py.h5s.create(h5py.h5s.SCALAR)
    h5py.h5d.create(file.id, b"ISIC_1", opaque, scalar, layout)


def arrays(file):
    data = file.create_dataset("ISIC_1", (), dtype=h5py.vlen_dtype(np.uint8))
    data[()] = np.frombuffer(JPEG, np.uint8)


@pytest.mark.parametrize(
    ("write", "found"),
    [
        (lambda file: file.create_group("ISIC_1"), "a group"),
        (lambda file: file.create_dataset("ISIC_1", data=3), r"shape \(\) and type int64"),
        (lambda file: file.create_dataset("ISIC_1", data=[b"a", b"b"]), r"shape \(2,\) .*"),
        (
            lambda file: file.create_dataset("ISIC_1", data=np.frombuffer(JPEG, np.uint8)),
            rf"shape \({len(JPEG)},\) and type uint8",
        ),
        (lambda file: file.create_dataset("ISIC_1", data=h5py.Empty("S9")), "shape None .*"),
        (arrays, r"shape \(\) and type object"),
        (external, "a link"),
        (soft, "a link"),
        (lambda file: file.update({"ISIC_1": h5py.SoftLink("/nothing")}), "a link"),
        (virtual, "a dataset that lies in another file"),
        (raw, "a dataset that lies in another file"),
    ],
)
def test_an_entry_that_is_not_bytes_of_this_file_is_refused(hdf5, tmp_path, write, found):
    with h5py.File(tmp_path / "other.hdf5", "w") as file:
        file["ISIC_1"] = np.void(JPEG)
    with pytest.raises(
        images.ImageError,
        match=rf"must be a scalar dataset of bytes in this very file\. Got .*{found} instead",
    ):
        hdf5(write).read("ISIC_1")


def test_an_entry_that_claims_gigabytes_is_refused_before_they_are_taken(hdf5, tmp_path):
    store = hdf5(lambda file: file.create_dataset("ISIC_1", (), dtype=f"V{2**31 - 1}"))
    assert (tmp_path / "train-image.hdf5").stat().st_size < 10_000
    tracemalloc.start()
    with pytest.raises(images.ImageError, match="Got 2,147,483,647 bytes, more than 100,000,000"):
        store.read("ISIC_1")
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


@pytest.mark.parametrize(
    "isic_id", ["", ".", "..", "/", "/ISIC_1", "./ISIC_1", "group/ISIC_1", "link/ISIC_1"]
)
def test_an_isic_id_is_a_name_and_never_a_path(hdf5, tmp_path, isic_id):
    with h5py.File(tmp_path / "other.hdf5", "w") as file:
        file["ISIC_1"] = np.void(JPEG)

    def write(file):
        file["ISIC_1"] = np.void(JPEG)
        file["group/ISIC_1"] = np.void(JPEG)
        file["link"] = h5py.ExternalLink("other.hdf5", "/")

    with pytest.raises(images.ImageError, match=rf"in|from {tmp_path}/train-image\.hdf5"):
        hdf5(write).read(isic_id)


def test_what_follows_a_nul_in_an_isic_id_is_not_ignored(hdf5):
    store = hdf5(lambda file: file.create_dataset("ISIC_1", data=np.void(JPEG)))
    with pytest.raises(images.ImageError, match="it has no tile"):
        store.read("ISIC_1\0x")


# === A folder ===


def test_a_folder_is_searched_at_any_depth_and_for_any_of_the_suffixes(tmp_path):
    names = ["ISIC_1.jpg", "a/ISIC_2.JPG", "a/b/ISIC_3.jpeg", "c/ISIC_4.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "a" / "notes.txt").touch()
    store = images.open_store(tmp_path)
    assert [store.read(isic_id) for isic_id in store.ids()] == [name.encode() for name in names]


@pytest.mark.parametrize("again", ["b/ISIC_1.jpg", "ISIC_1.png", "a/ISIC_1.JPEG"])
def test_two_files_of_one_isic_id_are_refused(tmp_path, again):
    for name in ("ISIC_1.jpg", "ISIC_2.jpg", again):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(JPEG)
    said = rf"{tmp_path} must hold one tile per isic_id\. Got several of \['ISIC_1'\]"
    with pytest.raises(InputError, match=said):
        images.open_store(tmp_path)


@pytest.mark.parametrize("broken", ["folder", "dangling", "gone"])
def test_a_file_that_cannot_be_read_is_a_broken_tile(tmp_path, broken):
    path = tmp_path / "ISIC_1.jpg"
    if broken == "folder":
        path.mkdir()
    elif broken == "dangling":
        path.symlink_to(tmp_path / "nothing")
    else:
        path.touch()
    store = images.open_store(tmp_path)
    if broken == "gone":
        path.unlink()
    with pytest.raises(images.ImageError, match=rf"it cannot be read\. .*{path}"):
        store.read("ISIC_1")


def test_a_path_is_no_isic_id(tmp_path):
    (tmp_path / "tiles").mkdir()
    (tmp_path / "other.jpg").write_bytes(JPEG)
    with pytest.raises(images.ImageError, match="it has no tile"):
        images.open_store(tmp_path / "tiles").read("../other")


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


def test_transparency_does_not_change_the_colours():
    alpha = np.dstack([PIXELS, np.arange(24 * 24).reshape(24, 24) % 256]).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(alpha).save(file, "PNG")
    np.testing.assert_array_equal(images.decode(file.getvalue()), PIXELS)

    palette = encoded(mode="P")
    clear = encoded(mode="P", transparency=bytes(range(200)))
    np.testing.assert_array_equal(images.decode(clear), images.decode(palette))


def test_a_tile_is_as_high_and_as_wide_as_it_is():
    tile = encoded(PIXELS[:9])
    assert images.size(tile) == (24, 9)
    assert images.decode(tile).shape == (9, 24, 3)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"progressive": True}])
def test_a_jpeg_decodes_to_the_pixels_that_pillow_gives(mode, options):
    data = encoded(mode=mode, kind="JPEG", **options)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

    np.testing.assert_array_equal(images.decode(data), expected)


def smooth(px: int) -> np.ndarray:
    """A tile without fine detail, which no resize can blur."""
    y, x = np.mgrid[:px, :px] / px
    waves = [np.sin(3 * x + 2 * y), np.cos(4 * x * y), np.sin(5 * y)]
    return (127 + 90 * np.stack(waves, axis=-1)).astype(np.uint8)


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


def test_a_jpeg_that_pillow_forgives_is_read_as_pillow_reads_it():
    """Such as one with a few wrong bits, which a strict decoder would refuse."""
    whole, n_forgiven = encoded(smooth(64), kind="JPEG"), 0
    for at in range(len(whole) - 400, len(whole) - 2, 3):
        data = whole[:at] + b"\0" + whole[at + 1 :]
        try:
            expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        except OSError:
            continue
        n_forgiven += 1
        np.testing.assert_array_equal(images.decode(data), expected)

    assert n_forgiven > 10


READERS = pytest.mark.parametrize("read", [images.decode, images.size])


@READERS
@pytest.mark.parametrize("data", [b"", bytearray()])
def test_an_empty_tile_is_refused(read, data):
    with pytest.raises(images.ImageError, match=r"must be a whole JPEG or PNG\. It is empty\."):
        read(data)


@READERS
@pytest.mark.parametrize("data", [b"isic_id,target", b"GIF89a" + b"\0" * 30, b"BM" + b"\0" * 60])
def test_what_is_no_image_is_refused_by_its_first_bytes(read, data):
    with pytest.raises(images.ImageError, match="must be a whole JPEG or PNG") as refused:
        read(data)
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


@READERS
@pytest.mark.parametrize("header", [png_header, jpeg_header])
@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (5001, 5000), (65_000, 400)])
def test_a_forged_header_is_refused_before_memory_is_taken(read, header, width, height):
    tile = header(width, height)
    assert len(tile) < 2000
    tracemalloc.start()
    with pytest.raises(
        images.ImageError, match=rf"must have at most 25,000,000 pixels\. Got {width} x {height}"
    ):
        read(tile)
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


def test_the_largest_size_is_allowed():
    assert images.size(png_header(5000, 5000)) == (5000, 5000)


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
