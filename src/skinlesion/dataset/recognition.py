"""What lies in the place of a file that was expected, told by its first bytes."""

from pathlib import Path

__all__ = ["HDF5", "N_HEAD", "of", "of_file"]

N_HEAD = 512  # bytes that suffice

HDF5 = "It is an HDF5 file."

_NOT_ITSELF = "and not the file itself"
_UNPACK = "Unpack it."
_SIGNS = (
    (b"version https://git-lfs", f"It is a Git LFS pointer {_NOT_ITSELF}: git lfs pull."),
    (b"outs:\n- ", f"It is a DVC pointer {_NOT_ITSELF}: dvc pull."),
    (b"<!doctype", f"It is a web page, as of a log-in, {_NOT_ITSELF}."),
    (b"<html", f"It is a web page, as of a log-in, {_NOT_ITSELF}."),
    (b"<?xml", f"It is XML, as of a server's error, {_NOT_ITSELF}."),
    (b"PK\x03\x04", f"It is a zip archive. {_UNPACK}"),
    (b"PK\x05\x06", "It is a zip archive, and empty."),
    (b"\x1f\x8b", f"It is a gzip archive. {_UNPACK}"),
    (b"BZh", f"It is a bzip2 archive. {_UNPACK}"),
    (b"\xfd7zXZ", f"It is an xz archive. {_UNPACK}"),
    (b"7z\xbc\xaf", f"It is a 7z archive. {_UNPACK}"),
    (b"\x28\xb5\x2f\xfd", f"It is a Zstandard archive. {_UNPACK}"),
    (b"\x89hdf\r\n\x1a\n", HDF5),
    (b"\xff\xd8\xff", "It is a JPEG."),
    (b"\x89png", "It is a PNG."),
    (b"%pdf", "It is a PDF."),
    (b"par1", "It is a Parquet file."),
)
_TAR_AT, _TAR = 257, b"ustar"


def of(head: bytes) -> str:
    """Say what a file is.

    Args:
        head: Its first bytes, `N_HEAD` or all of them.

    Returns:
        A sentence, with the remedy where there is one; "" where its bytes tell nothing.

    Source:
        https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md, and the formats' own documents
    """
    if not head:
        return "It is empty."
    if not any(head):
        return "It holds zeros only, as of a download that was cut off."
    if head[_TAR_AT:].startswith(_TAR):
        return f"It is a tar archive. {_UNPACK}"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for sign, what in _SIGNS:
        if head.startswith(sign) or text.startswith(sign):
            return what
    return ""


def of_file(path: Path) -> str:
    """Say what a file is, as `of`; "" where it cannot be read.

    Args:
        path: The file.
    """
    try:
        with path.open("rb") as file:
            return of(file.read(N_HEAD))
    except OSError:
        return ""
