"""Run a service until it is told to stop."""

import signal
import socket

import uvicorn

from skinlesion.errors import InputError
from skinlesion.serving import app, logs
from skinlesion.serving.scorer import Bundle
from skinlesion.serving.settings import Settings

__all__ = ["run"]

KEEP_ALIVE = 30  # seconds that a connection may be idle


def run(bundle: Bundle, settings: Settings) -> None:
    """Serve a bundle. SIGTERM and Ctrl-C end it once what is in work is answered.

    Args:
        bundle: What scores.
        settings: Where it listens, and its limits.

    Raises:
        InputError: It cannot listen there.
    """
    _require_free(settings.host, settings.port)
    logs.start()
    which = {"version": bundle.version, "checksum": bundle.checksum}
    logs.event("start", {**which, **settings.limits})
    # uvicorn raises the signal once more when it is done: to be told to stop is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    uvicorn.run(
        app.create(bundle, settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=int(settings.seconds) + 1,
    )


def _require_free(host: str, port: int) -> None:
    """Refuse a place that is taken, or not of this machine, before anything is logged."""
    try:
        [(family, *_), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise InputError(
            f"it cannot listen at {host}, port {port}: {error.strerror}. Choose another --port."
        ) from None
