"""Identifiers of lesions and patients: when two spellings are of one and the same."""

import re
import unicodedata
from collections.abc import Iterable

__all__ = ["hint", "key", "spellings"]

_SUFFIX = re.compile(r"\.(jpe?g|png)$")


def key(identifier: str) -> str:
    """Return what stays of an identifier however it is spelled.

    Args:
        identifier: As a table has it.

    Returns:
        It without case, spaces, the zeros before its number (IP_0123) and the .0 that a
        spreadsheet puts behind one.
    """
    plain = "".join(unicodedata.normalize("NFKC", identifier).casefold().split())
    plain = re.sub(r"\.0+$", "", plain)
    return re.sub(r"^(\D*)0+(?=\d+$)", r"\1", plain)


def spellings(identifiers: Iterable[str]) -> list[list[str]]:
    """Find identifiers that are spelled in several ways.

    Args:
        identifiers: Any number, each any number of times.

    Returns:
        The spellings of each such identifier, sorted.
    """
    found: dict[str, list[str]] = {}
    for identifier in sorted(set(identifiers)):
        found.setdefault(key(identifier), []).append(identifier)
    return [group for group in found.values() if len(group) > 1]


def hint(named: Iterable[str], kept: Iterable[str]) -> str:
    """Say how the identifiers of a table differ from the names of tiles.

    Args:
        named: Identifiers of the table that have no tile.
        kept: The names of the tiles.

    Returns:
        A sentence with an example of both, of the same lesion if only the spelling differs.
    """
    named, by_key = list(named), {_of_file(name): name for name in kept}
    if not by_key:
        return "It holds none."
    for identifier in named:
        if _of_file(identifier) in by_key:
            return f"The file has {by_key[_of_file(identifier)]}, the table {identifier}."
    return f"The file has {min(by_key.values())}, the table {named[0]}."


def _of_file(name: str) -> str:
    return key(_SUFFIX.sub("", name.strip().casefold().replace("\\", "/").rpartition("/")[2]))
