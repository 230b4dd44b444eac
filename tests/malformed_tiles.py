"""Strategies of hypothesis for malformed and odd tiles, HDF5 files, folders and models.

Each is a whole one to which something happened. Whoever reads it must get a result or one
InputError, in half a minute.
"""

import faulthandler
import functools
import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from hypothesis import strategies as st
from PIL import Image
from tests.dataset.test_hdf5 import KEPT
from tests.dataset.test_recognition import DVC, LFS, zipped
from tests.tiles import JPEG

__all__ = ["CUSTOMARY", "damaged", "folders", "hdf5_files", "in_time", "json_damage", "tiles"]

PATIENCE_S = 30
CUSTOMARY = ("opaque", "fixed-length string", "row", "row in the header", "variable row")
N_TILES = 4
IMPOSTORS = (b"", b"\0" * 700, LFS, DVC, zipped(), b"<!DOCTYPE html><title>Log in", b"isic_id\n")
JPEGS = (
    *({}, {"progressive": True}, {"restart_marker_blocks": 2}, {"keep_rgb": True}),
    *({"subsampling": 0}, {"optimize": True}, {"quality": 1}, {"comment": b"Exif\0\0II*\0"}),
)
MODES = ("RGB", "L", "RGBA", "LA", "P", "1", "CMYK", "I;16")
SIDES = st.one_of(st.integers(1, 40), st.sampled_from([1, 8, 131, 300]))
NAMES = (
    *("ISIC_1", "isic_1", "ISIC_1.jpg", "ISIC 1", "ISIC_1 ", "ü", "😀", ".", "..", ""),
    *("a/ISIC_1", "ISIC_\x1b[31m", "ISIC_\n", "ISIC_\udce9", "x" * 200, "'", "{{x}}", "-1"),
)


@contextmanager
def in_time() -> Iterator[None]:
    """End the process, with where it stood, if a block takes longer than half a minute."""
    faulthandler.dump_traceback_later(PATIENCE_S, exit=True, file=sys.__stderr__)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


@st.composite
def damaged(draw: Callable, content: bytes) -> bytes:
    """Content of which some bits, some zeroed sectors, some random runs and the end are lost.

    Args:
        draw: Of hypothesis.
        content: What is whole.
    """
    spoilt = bytearray(content)
    for _ in range(draw(st.integers(1, 3))):
        if not spoilt:
            break
        head = draw(st.booleans())  # where a format keeps what it is
        at = draw(st.integers(0, min(len(spoilt), 2500 if head else len(spoilt)) - 1))
        how = draw(st.sampled_from(["bit", "zeros", "run", "lost", "cut"]))
        n = draw(st.sampled_from([1, 8, 64, 512, 4096]))
        if how == "bit":
            spoilt[at] ^= 1 << draw(st.integers(0, 7))
        elif how == "zeros":
            spoilt[at : at + n] = bytes(len(spoilt[at : at + n]))
        elif how == "run":
            spoilt[at : at + n] = draw(st.binary(max_size=64))[: len(spoilt) - at]
        elif how == "lost":
            del spoilt[at : at + n]
        else:
            del spoilt[at:]
    return bytes(spoilt)


@st.composite
def tiles(draw: Callable) -> bytes:
    """A JPEG, PNG or something else, whole or damaged, of any size, mode and orientation."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.one_of(st.sampled_from(IMPOSTORS), st.binary(max_size=200)))
    content = _image(
        draw(SIDES),
        draw(SIDES),
        draw(st.sampled_from(MODES)),
        options=draw(st.sampled_from(JPEGS)) if draw(st.booleans()) else None,
        turned=draw(st.sampled_from([None, *range(10), 2**15])),
    )
    if draw(st.booleans()):
        content = draw(damaged(content))
    return content + draw(st.sampled_from([b"", b"\xff\xd9", b"\0\0", b"trailing"]))


def _image(width: int, height: int, mode: str, *, options: dict | None, turned: int | None):
    noise = np.random.default_rng(width * 1000 + height).integers(0, 256, (height, width, 4))
    image, exif, file = Image.fromarray(noise.astype(np.uint8), "RGBA"), Image.Exif(), io.BytesIO()
    is_jpeg = options is not None
    fits = mode in (("RGB", "L", "CMYK") if is_jpeg else ("RGB", "L", "RGBA", "LA", "P", "1"))
    image = image.convert("RGB").convert(mode if fits else "RGB")
    if turned is not None:
        exif[274] = turned
    options = dict(options or {}, exif=exif)
    if image.mode != "RGB":
        options.pop("keep_rgb", None)
    image.save(file, "JPEG" if is_jpeg else "PNG", **options)
    return file.getvalue()


@st.composite
def hdf5_files(draw: Callable, *, kept: tuple[str, ...], libver: str = "earliest") -> bytes:
    """A damaged HDF5 file of some tiles, kept in one of several ways.

    Args:
        draw: Of hypothesis.
        kept: Keys of test_hdf5.KEPT.
        libver: Of h5py.
    """
    if draw(st.integers(0, 19)) == 0:
        return draw(st.sampled_from(IMPOSTORS))
    return draw(damaged(_hdf5(draw(st.sampled_from(kept)), libver, draw(st.sampled_from([1, 30])))))


@functools.cache
def _hdf5(kept: str, libver: str, n_times: int) -> bytes:
    content = bytes(byte or 1 for byte in JPEG[:200]) if "string" in kept else JPEG[:200]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tiles.hdf5")
        with h5py.File(path, "w", libver=libver) as file:
            for i in range(N_TILES * n_times):
                KEPT[kept](file, content)
                file.move("ISIC_1", f"ISIC_{i + 2}")
        return path.read_bytes()


@st.composite
def folders(draw: Callable) -> dict[str, bytes | str]:
    """Files of a folder of tiles: by name, their content, or "folder", "loop" or "dangling"."""
    entries = st.one_of(
        st.just(JPEG), st.sampled_from(IMPOSTORS), st.sampled_from(["folder", "loop", "dangling"])
    )
    names = st.builds(
        lambda place, name, suffix: f"{place}{name}{suffix}",
        st.sampled_from(["", "a/", "a/b/", ".hidden/"]),
        st.sampled_from([name for name in NAMES if "/" not in name]),
        st.sampled_from([".jpg", ".JPEG", ".png", ".txt", ""]),
    )
    return draw(st.dictionaries(names, entries, max_size=6))


JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**9), 10**9),
        st.sampled_from([1e308, -1.0, "", "x", 2**70, "😀"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=4,
)


@st.composite
def json_damage(draw: Callable, given: object) -> object:
    """A JSON value of which one part, somewhere, is lost, is another, or is one too many.

    Args:
        draw: Of hypothesis.
        given: What is whole.
    """
    inside = list(given) if isinstance(given, dict) else list(range(len(_list(given))))
    if not inside or draw(st.integers(0, 4)) == 0:
        return draw(JUNK)
    key = draw(st.sampled_from(inside))
    changed = dict(given) if isinstance(given, dict) else list(_list(given))
    how = draw(st.sampled_from(["inside", "inside", "lost", "more"]))
    if how == "inside":
        changed[key] = draw(json_damage(changed[key]))
    elif how == "lost":
        del changed[key]
    elif isinstance(changed, dict):
        changed[draw(st.text(max_size=4))] = draw(JUNK)
    else:
        changed.append(draw(JUNK))
    return changed


def _list(given: object) -> list:
    return given if isinstance(given, list) else []
