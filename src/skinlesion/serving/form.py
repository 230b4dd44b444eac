"""Take a multipart body apart, in memory: what is sent is never written to a disk."""

from dataclasses import dataclass, field
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from skinlesion.serving import refusal

__all__ = ["Part", "parts", "single"]


@dataclass
class Part:
    """A part of a form."""

    name: str
    filename: str
    content: bytearray = field(default_factory=bytearray)


def parts(body: bytes | bytearray, content_type: str, *, n_max: int) -> list[Part]:
    """Take a form apart.

    Args:
        body: All of it.
        content_type: The header of the request, which names the boundary between parts.
        n_max: Parts that are taken at most.

    Returns:
        The parts in their order.

    Raises:
        RefusalError: 422, it is no multipart/form-data or cut off; 413, it has more parts.
    """
    kind, options = parse_options_header(content_type.encode("latin-1", "replace"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise refusal.one(422, "Content-Type", "multipart/form-data with a boundary", content_type)
    reader = _Reader(n_max)
    try:
        parser = MultipartParser(boundary, reader.callbacks)
        parser.write(bytes(body))
    except (FormParserError, UnicodeDecodeError) as error:
        raise refusal.one(422, "body", "multipart/form-data", type(error).__name__) from None
    if not reader.is_whole:
        raise refusal.one(422, "body", "a whole form", f"an end after {len(body):,} bytes")
    return reader.found


def single(found: list[Part], name: str) -> Part:
    """Find the one part of a name.

    Args:
        found: From `parts`.
        name: Of the part.

    Raises:
        RefusalError: 422, there is none or more than one.
    """
    named = [part for part in found if part.name == name]
    if len(named) != 1:
        raise refusal.one(422, name, "one part of this name", len(named))
    return named[0]


class _Reader:
    """Gathers what the parser calls out."""

    def __init__(self, n_max: int) -> None:
        self.found: list[Part] = []
        self.is_whole, self._n_max = False, n_max
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value = b"", b""
        events = ("part_begin", "header_field", "header_value", "header_end", "headers_finished")
        names = [f"on_{event}" for event in (*events, "part_data", "end")]
        self.callbacks: Any = {name: getattr(self, name) for name in names}

    def on_part_begin(self) -> None:
        if len(self.found) == self._n_max:
            raise refusal.one(413, "body", f"at most {self._n_max:,} parts", "more")
        self._headers = {}

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name, self._value = b"", b""

    def on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name, filename = (options.get(k, b"").decode() for k in (b"name", b"filename"))
        self.found.append(Part(name, filename))

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.found[-1].content += data[start:end]

    def on_end(self) -> None:
        self.is_whole = True
