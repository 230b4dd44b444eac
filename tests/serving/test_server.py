"""serving.server: a process that ends well when told to, and starts again when killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests import serving_bundle
from tests.process import PATIENCE

from skinlesion.errors import InputError
from skinlesion.serving import server, settings

ROOT = Path(__file__).parents[2]
# A bundle that is held until its process gets SIGUSR1.
PROGRAM = """
import signal, sys
from skinlesion.serving import server, settings
from tests.serving_bundle import Brightness

bundle = Brightness()
if "held" in sys.argv:
    bundle.free.clear()
signal.signal(signal.SIGUSR1, lambda *_: bundle.free.set())
server.run(bundle, settings.load({"port": int(sys.argv[1])}))
"""


class Running:
    """A service in a process of its own, and the lines of its log as they come."""

    def __init__(self, port: int, *words: str) -> None:
        env = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        command = [sys.executable, "-c", PROGRAM, str(port), *words]
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{port}"

    def until(self, event: str) -> dict:
        """Read the log up to an event."""
        for line in self.process.stdout:
            found = json.loads(line)
            if event in found["event"]:
                return found
        raise AssertionError(f"the service ended without {event!r}")

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@pytest.fixture
def run() -> Iterator[type]:
    started: list[Running] = []

    def start(port: int, *words: str) -> Running:
        started.append(Running(port, *words))
        return started[-1]

    yield start
    for service in started:
        service.process.kill()
        service.process.wait()
        service.process.stdout.close()


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_that_is_told_to_end_ends_well(run, port, number):
    service = run(port)
    service.until("ready")

    assert service.end(number) == 0


def test_what_runs_is_answered_before_the_end(run, port, lesion):
    service = run(port, "held")
    service.until("Application startup complete")
    with httpx2.Client(base_url=service.url, timeout=PATIENCE) as client:
        request = client.build_request("POST", "/v1/lesions", **lesion())
        answers = []
        thread = threading.Thread(target=lambda: answers.append(client.send(request)))
        thread.start()
        while "skinlesion_requests_in_work 1.0" not in httpx2.get(f"{service.url}/metrics").text:
            pass
        service.process.send_signal(signal.SIGTERM)
        service.until("Shutting down")
        service.process.send_signal(signal.SIGUSR1)
        thread.join(PATIENCE)

    assert answers[0].status_code == 200
    assert service.process.wait(PATIENCE) == 0
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(service.url)


def test_a_service_that_was_killed_starts_again_at_the_same_port(run, port):
    first = run(port)
    first.until("ready")
    assert httpx2.get(f"{first.url}/readyz").status_code == 200
    assert first.end(signal.SIGKILL) == -signal.SIGKILL

    second = run(port)
    second.until("ready")
    assert httpx2.get(f"{second.url}/readyz").status_code == 200


def test_a_port_that_is_taken_is_one_message_before_any_log(port, capfd):
    said = rf"cannot listen at 127\.0\.0\.1, port {port}: "
    with socket.create_server(("127.0.0.1", port)), pytest.raises(InputError, match=said):
        server.run(serving_bundle.Brightness(), settings.load({"port": port}))

    assert capfd.readouterr() == ("", "")


def test_the_first_line_of_the_log_says_which_bundle_and_which_limits(run, port):
    line = run(port).until("start")

    assert line["version"] == "1.2.3"
    assert line["tile_bytes"] == 1 << 20
