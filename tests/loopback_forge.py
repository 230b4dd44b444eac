"""A forge on this machine: as much of the HTTP APIs of GitHub and GitLab as a comment needs."""

import contextlib
import json
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

BOT = "github-actions[bot]"  # whoever has a token of a GitHub workflow
TOKEN_OWNER = "project_7_bot"  # whoever has the token of the GitLab project
GITHUB_API, GITLAB_API = "/api/v3", "/api/v4"  # as on a server of one's own
READS = ("GET", "HEAD")
LISTED = r"/(repos/team/lesions/issues/5/comments|projects/(?:7|team/lesions)/.*/3/notes)"
ONE = r"/(repos/team/lesions/issues/comments|projects/(?:7|team/lesions)/.*/3/notes)/(\d+)"
MARK = '![](https://cml.dev/watermark.png#{} "CML watermark skinlesion")'


class Loopback:
    """What the forge holds, and what it was asked."""

    def __init__(self) -> None:
        self.address = ""
        self.comments: list[dict] = []  # the oldest first
        self.pulls: list[dict] = []
        self.asked: list[tuple[str, str, dict]] = []  # method, address, headers
        self.refuses = 0  # a status code, or 0
        self.sends_on_to = ""  # another address, or ""

    def add(self, body: str, author: str) -> dict:
        people = {"user": {"login": author}, "author": {"username": author}}
        self.comments.append({"id": 1000 + len(self.comments), "body": body, **people})
        return self.comments[-1]

    def texts(self, author: str) -> list[str]:
        return [c["body"] for c in self.comments if c["user"]["login"] == author]

    def written(self) -> list[str]:
        """The methods of all requests that are no mere questions."""
        return [method for method, _, _ in self.asked if method not in READS]

    def answer(self, method: str, path: str, query: dict, body: dict) -> object:
        """What the documents of the two forges say; None where there is no such address."""
        on_gitlab = path.startswith(GITLAB_API)
        path = unquote(path.removeprefix(GITLAB_API if on_gitlab else GITHUB_API))
        page = _page(query, 20 if on_gitlab else 30)
        if path == "/version" and on_gitlab:
            return {"version": "18.0.0"}
        if path.startswith("/user"):
            return {"username": TOKEN_OWNER, "login": "someone", "name": "", "id": 1}
        if path == "/repos/team/lesions/pulls":
            head = query["head"][0]
            return [p for p in self.pulls if p["label"] == head and query["state"] == ["open"]][
                page
            ]
        if re.fullmatch(LISTED, path) and method == "GET":
            return (self.comments[::-1] if on_gitlab else self.comments)[page]
        if re.fullmatch(LISTED, path) and method == "POST":
            return self.add(body["body"], TOKEN_OWNER if on_gitlab else BOT)
        one = re.fullmatch(ONE, path)
        if one and method == ("PUT" if on_gitlab else "PATCH"):
            (comment,) = (c for c in self.comments if c["id"] == int(one[2]))
            comment["body"] = body["body"]
            return comment
        return None


def _page(query: dict, usual: int) -> slice:
    n = int(query.get("per_page", [usual])[0])
    first = (int(query.get("page", ["1"])[0]) - 1) * n
    return slice(first, first + n)


def _handler(forge: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            asked = urlsplit(self.path)
            forge.asked.append((self.command, self.path, dict(self.headers)))
            found = forge.answer(self.command, asked.path, parse_qs(asked.query), self.body())
            status = forge.refuses or (404 if found is None else 200)
            self.send_response(302 if forge.sends_on_to else status)
            self.send_header("Content-Type", "application/json")
            if forge.sends_on_to:
                self.send_header("Location", forge.sends_on_to + self.path)
            self.end_headers()
            self.wfile.write(json.dumps({"message": "no"} if forge.refuses else found).encode())

        def body(self) -> dict:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            if "form" in (self.headers.get("Content-Type") or ""):
                return {name: values[0] for name, values in parse_qs(text).items()}
            return json.loads(text or "{}")

        do_GET = do_POST = do_PATCH = do_PUT = do_CONNECT = handle_any  # noqa: N815

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return Handler


def certificate(folder: Path) -> Path:
    """Make a certificate for the loopback address; its key is in the same file."""
    pem = folder / "loopback.pem"
    line = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext"
    names = ["subjectAltName=IP:127.0.0.1", "-keyout", str(pem), "-out", str(folder / "cert.pem")]
    subprocess.run([*line.split(), *names], check=True, capture_output=True)
    pem.write_text(pem.read_text() + (folder / "cert.pem").read_text())
    return pem


@contextlib.contextmanager
def serving(pem: Path | None = None) -> Iterator[Loopback]:
    """A forge on a free port of the loopback address, for as long as the block lasts."""
    forge = Loopback()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(forge)) as server:
        if pem is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        forge.address = f"http{'s' * (pem is not None)}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield forge
        finally:
            server.shutdown()
            thread.join()
