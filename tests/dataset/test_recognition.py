"""dataset.recognition: what lies in the place of a file is told by its first bytes."""

import bz2
import codecs
import gzip
import io
import lzma
import tarfile
import zipfile

import h5py
import pytest
from tests.tiles import KINDS

from skinlesion.dataset import recognition

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
TABLE = "isic_id,patient_id,target\n"
DVC = (
    b"outs:\n- md5: a304afb96060aad90176268345e10355\n  size: 37891850\n  path: train-image.hdf5\n"
)


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("train-image.hdf5", b"content")
    return file.getvalue()


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("train-image.hdf5"))
    return file.getvalue()


def hdf5() -> bytes:
    file = io.BytesIO()
    h5py.File(file, "w").close()
    return file.getvalue()


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"", "It is empty."),
        (bytes(600), "It holds zeros only"),
        (LFS, "It is a Git LFS pointer and not the file itself: git lfs pull."),
        (DVC, "It is a DVC pointer and not the file itself: dvc pull."),
        (b"\xef\xbb\xbf\n  <!DOCTYPE html><html><title>Sign in", "It is a web page"),
        (b"<html><body>Log in", "It is a web page"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied', "It is XML, as of a server's error"),
        (zipped(), "It is a zip archive. Unpack it."),
        (tarred(), "It is a tar archive. Unpack it."),
        (gzip.compress(b"a", mtime=0), "It is a gzip archive. Unpack it."),
        (bz2.compress(b"a"), "It is a bzip2 archive. Unpack it."),
        (lzma.compress(b"a"), "It is an xz archive. Unpack it."),
        (hdf5(), "It is an HDF5 file."),
        (KINDS["JPEG"], "It is a JPEG."),
        (KINDS["PNG"], "It is a PNG."),
        (
            b"PK\x03\x04\x14\0\x06\0[Content_Types].xml \xa2",
            "It is an Excel workbook. Save it as CSV",
        ),
        (b"PK\x03\x04\x14\0\0\0xl/workbook.xml", "It is an Excel workbook. Save it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "It is an Excel workbook. Save it as CSV"),
        (b"PAR1\x15\x04", "It is a Parquet file."),
        *((TABLE.encode(e), "It is text in UTF-16.") for e in ("utf-16", "utf-16-le", "utf-16-be")),
        (TABLE.encode("utf-32"), "It is text in UTF-32."),
        (2 * codecs.BOM_UTF8 + TABLE.encode(), "It is text with more than one byte-order mark."),
    ],
)
def test_a_file_is_told_by_its_first_bytes(head, what):
    assert recognition.of(head[: recognition.N_HEAD]).startswith(what)


@pytest.mark.parametrize(
    "text", ["i", TABLE, "\ufeff" + TABLE, "größe,target", "\n\n" + TABLE, "é" * 300]
)
def test_text_is_text_unless_it_is_expected(text):
    head = text.encode()[: recognition.N_HEAD - 1]  # maybe in the midst of a character

    assert recognition.of(head) == recognition.TEXT
    assert recognition.of(head, expected=recognition.TEXT) == ""
    assert recognition.of(head, expected=recognition.HDF5) == recognition.TEXT


@pytest.mark.parametrize(
    "head", [b"\x80\x04", b"isic_id\0,target", b"gr\xf6\xdfe,target", b"\x01\x02"]
)
def test_of_other_bytes_nothing_is_said(head):
    assert recognition.of(head) == ""


@pytest.mark.parametrize("header", ["isic_id", TABLE, "isic_id,a;b,c", "isic_id,a\tb", ""])
def test_commas_and_single_columns_need_no_other_separator(header):
    assert recognition.separator(header) == ""


def test_a_line_of_windows_is_read_and_other_bytes_are_not():
    assert recognition.cp1252("größe €".encode("cp1252")) == "größe €"
    assert recognition.cp1252(b"\xff\xd8\xff\xe0\x00\x10") == ""
    assert recognition.cp1252(b"\x81") == ""


def test_a_file_that_cannot_be_read_is_nothing(tmp_path):
    assert recognition.of_file(tmp_path / "absent") == ""
    assert recognition.of_file(tmp_path) == ""
    (tmp_path / "pointer").write_bytes(LFS)
    assert recognition.of_file(tmp_path / "pointer") == recognition.of(LFS)
