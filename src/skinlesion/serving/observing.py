"""Around every request: headers of security, a line in the log, and an end to what goes wrong."""

import time
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skinlesion.serving import logs, refusing
from skinlesion.serving.counters import Counters

__all__ = ["HEADERS", "Observed"]

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Observed:
    """Wraps an application.

    Args:
        app: The application.
        counters: What counts its requests.
    """

    def __init__(self, app: ASGIApp, counters: Counters) -> None:
        self.app, self.counters = app, counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(send)
        start, error = time.perf_counter(), None
        try:
            await self.app(scope, receive, answer.send)
        except Exception as found:  # a defect of ours: its message may quote a lesion's values
            error = found
            if not answer.status:
                await refusing.defect()(scope, receive, answer.send)
        self._note(scope, answer.status, time.perf_counter() - start, error)

    def _note(self, scope: Scope, status: int, seconds: float, error: Exception | None) -> None:
        route = getattr(scope.get("route"), "path", "other")
        self.counters.request(route, status, seconds)
        counts: dict[str, Any] = scope.get("state", {}).get("counts", {})
        fields = {"method": scope["method"], "route": route, "status": status}
        logs.event("request", fields | {"seconds": round(seconds, 4)} | counts, error)


class _Answer:
    """Sends an answer with the headers of security, and keeps its status; 0 before it begins."""

    def __init__(self, send: Send) -> None:
        self._send, self.status = send, 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "no-store")
        await self._send(message)
