"""A forge on this machine: as much of the HTTP APIs of GitHub and GitLab as a comment needs."""

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

BOT = "github-actions[bot]"  # whoever has a token of a GitHub workflow
TOKEN_OWNER = "project_7_bot"  # whoever has the token of the GitLab project


class Loopback:
    """What the forge holds, and what it was asked."""

    def __init__(self) -> None:
        self.address = ""
        self.comments: list[dict] = []
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

    def answer(self, method: str, path: str, query: dict, body: dict) -> object:
        """What the documents of the two forges say; None where there is no such address."""
        first = (int(query.get("page", ["1"])[0]) - 1) * int(query.get("per_page", ["30"])[0])
        page = slice(first, first + int(query.get("per_page", ["30"])[0]))
        if path == "/user":
            return {"username": TOKEN_OWNER}
        if path == "/repos/team/lesions/pulls":
            head = query["head"][0]
            return [p for p in self.pulls if p["label"] == head and query["state"] == ["open"]][
                page
            ]
        listed = re.fullmatch(
            r"/(repos/team/lesions/issues/5/comments|projects/7/.*/3/notes)", path
        )
        if listed and method == "GET":
            return self.comments[page]
        if listed and method == "POST":
            return self.add(body["body"], BOT if "repos" in path else TOKEN_OWNER)
        one = re.fullmatch(
            r"/(repos/team/lesions/issues/comments|projects/7/.*/3/notes)/(\d+)", path
        )
        if one and method == ("PATCH" if "repos" in path else "PUT"):
            (comment,) = (c for c in self.comments if c["id"] == int(one[2]))
            comment["body"] = body["body"]
            return comment
        return None


def _handler(forge: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            asked = urlsplit(self.path)
            forge.asked.append((self.command, self.path, dict(self.headers)))
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            found = forge.answer(self.command, asked.path, parse_qs(asked.query), body)
            status = forge.refuses or (404 if found is None else 200)
            self.send_response(302 if forge.sends_on_to else status)
            if forge.sends_on_to:
                self.send_header("Location", forge.sends_on_to + self.path)
            self.end_headers()
            self.wfile.write(json.dumps({"message": "no"} if forge.refuses else found).encode())

        do_GET = do_POST = do_PATCH = do_PUT = handle_any  # noqa: N815

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return Handler


@contextlib.contextmanager
def serving() -> Iterator[Loopback]:
    """A forge on a free port of the loopback address, for as long as the block lasts."""
    forge = Loopback()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(forge)) as server:
        forge.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield forge
        finally:
            server.shutdown()
            thread.join()
