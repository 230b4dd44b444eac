"""Links of a report in Markdown: from files beside it to where a forge shows them."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

from skinlesion.errors import InputError

__all__ = ["absolute", "parse"]

LINK = re.compile(r"(?<=\]\()[\w.-]+(?=\))")  # to a file in the same folder


def parse(words: list[str]) -> dict[str, str]:
    """Read addresses from a command line.

    Args:
        words: NAMES=ADDRESS each. An empty address stands for one that is not known.

    Raises:
        InputError: A word has no "=", or its address does not begin with http.
    """
    wrong = [word for word in words if not re.fullmatch(r"[^=]+=(https?://.+)?", word)]
    if wrong:
        raise InputError(f"a link must be NAMES=ADDRESS, as *.png=https://x.org. Got {wrong[0]!r}.")
    parts = [word.split("=", maxsplit=1) for word in words]
    return {names: address for names, address in parts if address}


def absolute(text: str, addresses: Mapping[str, str]) -> str:
    """Replace links to files in the same folder.

    Args:
        text: Markdown.
        addresses: By patterns of names as a shell has them; the first that fits is taken.
            "{name}" in an address is the name of the file.

    Returns:
        Markdown, in which a link that no pattern fits is as it was.
    """

    def replaced(link: re.Match[str]) -> str:
        fitting = (a for names, a in addresses.items() if fnmatchcase(link[0], names))
        return next(fitting, link[0]).replace("{name}", link[0])

    return LINK.sub(replaced, text)
