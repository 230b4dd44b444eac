"""What a file that should be a CSV file in UTF-8 seems to be instead."""

__all__ = ["cp1252", "kind", "separator"]

_SIGNATURES = {
    b"\xff\xfe\x00\x00": "text in UTF-32",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
    b"\xef\xbb\xbf" * 2: "text with more than one byte-order mark",
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"PAR1": "a Parquet file",
    b"\x89HDF": "an HDF5 file",
    b"%PDF": "a PDF file",
    b"version https://git-lfs": "a pointer of Git LFS, whose file was not fetched",
    b"<!doctype html": "a web page, as a log-in gives it",
    b"<html": "a web page, as a log-in gives it",
}
_SEPARATORS = {"\t": "tabs", ";": "semicolons", "|": "vertical bars"}


def kind(start: bytes) -> str:
    """Name the kind of a file that is no CSV file in UTF-8.

    Args:
        start: Its first bytes, a hundred or more.

    Returns:
        Such as "text in UTF-16", or "" if it is no known kind.
    """
    small = start.lstrip().lower()
    for signature, name in _SIGNATURES.items():
        if start.startswith(signature) or small.startswith(signature.lower()):
            return name
    # UTF-16 without a mark: every other byte of English text is NUL.
    halves = start[0::2], start[1::2]
    if len(start) > 4 and any(half.count(0) > 0.8 * len(half) for half in halves):
        return "text in UTF-16" if not all(half.count(0) for half in halves) else ""
    return ""


def separator(header: str) -> str:
    """Name what separates the columns of a header, where that is no comma.

    Args:
        header: The first line of a table.

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
