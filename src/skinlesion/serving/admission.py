"""How many requests are served at once, and how many bytes are held for them."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.requests import Request

from skinlesion.serving import refusal
from skinlesion.serving.settings import Settings

__all__ = ["Admission", "Admitted", "require_token"]

RETRY_AFTER = 1  # seconds


class Admission:
    """Counts what is in work. All of it happens in the event loop, so nothing is locked."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.n_requests, self.n_bytes = settings, 0, 0

    @contextmanager
    def admit(self) -> Iterator["Admitted"]:
        """Take a request on, or refuse it before it is read.

        Raises:
            RefusalError: 429, as many requests are in work as may be.
        """
        if self.n_requests >= self.settings.requests:
            raise _busy(f"{self.n_requests} requests in work")
        admitted = Admitted(self)
        self.n_requests += 1
        try:
            yield admitted
        finally:
            self.n_requests -= 1
            self.n_bytes -= admitted.n_bytes


@dataclass
class Admitted:
    """A request in work, with the bytes that are held for it."""

    admission: Admission
    n_bytes: int = field(default=0)

    async def body(self, request: Request) -> bytearray:
        """Read the body of a request; what it says of its length is not believed.

        Args:
            request: Its body is not read yet.

        Raises:
            RefusalError: 413, it is longer than a body may be; 429, too much is held already.
        """
        content = bytearray()
        async for piece in request.stream():
            self._hold(len(piece))
            content += piece
        return content

    def _hold(self, n: int) -> None:
        settings = self.admission.settings
        if self.n_bytes + n > settings.body_bytes:
            expected = f"at most {settings.body_bytes:,} bytes"
            raise refusal.one(413, "body", expected, "more")
        if self.admission.n_bytes + n > settings.held_bytes:
            raise _busy(f"{self.admission.n_bytes:,} bytes in work")
        self.n_bytes += n
        self.admission.n_bytes += n


def require_token(request: Request, settings: Settings) -> None:
    """Require the token of the service, where it has one.

    Args:
        request: Its header Authorization is read.
        settings: With the token.

    Raises:
        RefusalError: 401, it has none or another.
    """
    if settings.token is None:
        return
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    wanted = settings.token.get_secret_value().encode()
    same = hmac.compare_digest(given.strip().encode("utf-8", "replace"), wanted)
    if scheme.lower() != "bearer" or not same:
        found = "another" if given else "none"
        raise refusal.one(401, "Authorization", "Bearer and the token of the service", found)


def _busy(found: str) -> refusal.RefusalError:
    return refusal.one(429, "request", "fewer at once", found, retry_after=RETRY_AFTER)
