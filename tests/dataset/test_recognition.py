"""dataset.recognition: what lies in the place of a file is told by its first bytes."""

import bz2
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
    ],
)
def test_a_file_is_told_by_its_first_bytes(head, what):
    assert recognition.of(head[: recognition.N_HEAD]).startswith(what)


@pytest.mark.parametrize("head", [b"isic_id,target\n", b"\x80\x04", b"a"])
def test_of_other_bytes_nothing_is_said(head):
    assert recognition.of(head) == ""


def test_a_file_that_cannot_be_read_is_nothing(tmp_path):
    assert recognition.of_file(tmp_path / "absent") == ""
    assert recognition.of_file(tmp_path) == ""
    (tmp_path / "pointer").write_bytes(LFS)
    assert recognition.of_file(tmp_path / "pointer") == recognition.of(LFS)
