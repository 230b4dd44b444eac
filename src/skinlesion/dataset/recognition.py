"""What lies in the place of a file that was expected, told by its first bytes; or by a line."""

import codecs
from pathlib import Path

__all__ = ["HDF5", "N_HEAD", "TEXT", "cp1252", "of", "of_file", "separator"]

N_HEAD = 512  # bytes that suffice

HDF5 = "It is an HDF5 file."
TEXT = "It is text, as a CSV file is."

_NOT_ITSELF = "and not the file itself"
_UNPACK = "Unpack it."
_SAVE = "Save it as UTF-8."
_WORKBOOK = "It is an Excel workbook. Save it as CSV, in UTF-8."
_SIGNS = (
    (b"version https://git-lfs", f"It is a Git LFS pointer {_NOT_ITSELF}: git lfs pull."),
    (b"outs:\n- ", f"It is a DVC pointer {_NOT_ITSELF}: dvc pull."),
    (b"<!doctype", f"It is a web page, as of a log-in, {_NOT_ITSELF}."),
    (b"<html", f"It is a web page, as of a log-in, {_NOT_ITSELF}."),
    (b"<?xml", f"It is XML, as of a server's error, {_NOT_ITSELF}."),
    (b"PK\x03\x04", f"It is a zip archive. {_UNPACK}"),
    (b"PK\x05\x06", "It is a zip archive, and empty."),
    (b"\xd0\xcf\x11\xe0", _WORKBOOK),
    (b"\x1f\x8b", f"It is a gzip archive. {_UNPACK}"),
    (b"BZh", f"It is a bzip2 archive. {_UNPACK}"),
    (b"\xfd7zXZ", f"It is an xz archive. {_UNPACK}"),
    (b"7z\xbc\xaf", f"It is a 7z archive. {_UNPACK}"),
    (b"\x28\xb5\x2f\xfd", f"It is a Zstandard archive. {_UNPACK}"),
    (b"\x89HDF\r\n\x1a\n", HDF5),
    (b"\xff\xd8\xff", "It is a JPEG."),
    (b"\x89PNG", "It is a PNG."),
    (b"%PDF", "It is a PDF."),
    (b"PAR1", "It is a Parquet file."),
    (codecs.BOM_UTF32_LE, f"It is text in UTF-32. {_SAVE}"),
    (codecs.BOM_UTF16_LE, f"It is text in UTF-16. {_SAVE}"),
    (codecs.BOM_UTF16_BE, f"It is text in UTF-16. {_SAVE}"),
    (2 * codecs.BOM_UTF8, f"It is text with more than one byte-order mark. {_SAVE}"),
)
_TAR_AT, _TAR = 257, b"ustar"
_IN_WORKBOOKS = (b"[Content_Types].xml", b"xl/")  # the names of its first member
_SEPARATORS = {"\t": "tabs", ";": "semicolons", "|": "vertical bars"}


def of(head: bytes, *, expected: str = "") -> str:
    """Say what a file is.

    Args:
        head: Its first bytes, `N_HEAD` or all of them.
        expected: What it is to be, `HDF5` or `TEXT`; of such a file nothing is said.

    Returns:
        A sentence, with the remedy where there is one; "" where its bytes tell nothing.

    Source:
        https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md, and the formats' own documents
    """
    found = _kind(head)
    return "" if found == expected else found


def of_file(path: Path, *, expected: str = "") -> str:
    """Say what a file is, as `of`; "" where it cannot be read.

    Args:
        path: The file.
        expected: As for `of`.
    """
    try:
        with path.open("rb") as file:
            return of(file.read(N_HEAD), expected=expected)
    except OSError:
        return ""


def separator(header: str) -> str:
    """Name what separates the columns of a table, where that is no comma.

    Args:
        header: Its first line.

    Returns:
        Such as "semicolons", or "" if commas do or there is one column.
    """
    counts = {mark: header.count(mark) for mark in _SEPARATORS}
    most = max(counts, key=lambda mark: counts[mark])
    return _SEPARATORS[most] if counts[most] > header.count(",") else ""


def cp1252(line: bytes) -> str:
    """Read a line as Windows writes it in Western countries.

    Args:
        line: Bytes that are no UTF-8.

    Returns:
        The text, or "" if it is not of that encoding either.
    """
    try:
        text = line.decode("cp1252")
    except UnicodeDecodeError:
        return ""
    return text if text.isprintable() else ""


def _kind(head: bytes) -> str:
    if not head:
        return "It is empty."
    if not any(head):
        return "It holds zeros only, as of a download that was cut off."
    if head[_TAR_AT:].startswith(_TAR):
        return f"It is a tar archive. {_UNPACK}"
    if head.startswith(b"PK") and any(name in head for name in _IN_WORKBOOKS):
        return _WORKBOOK
    text = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    for sign, what in _SIGNS:
        if head.startswith(sign) or text.startswith(sign):
            return what
    if _is_utf16(head):
        return f"It is text in UTF-16. {_SAVE}"
    return TEXT if _is_utf8(head) else ""


def _is_utf16(head: bytes) -> bool:
    """Whether every other byte is NUL, as of English text without a byte-order mark."""
    halves = head[0::2], head[1::2]
    nuls = [half.count(0) for half in halves]
    return len(head) > 4 and min(nuls) == 0 and max(nuls) > 0.8 * len(halves[0])


def _is_utf8(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)  # may end in a character
    except UnicodeDecodeError:
        return False
    return all(c.isprintable() or c.isspace() for c in text)
