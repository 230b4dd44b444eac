"""A service that answers as the real one does, for tests of its page: the risk is a column."""

import csv
import email.policy
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "src" / "skinlesion" / "serving" / "page"
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
CHECKSUM = "3f" * 32
MODEL = {
    "name": "lesion-risk",
    "version": "1.2.0",
    "checksum": CHECKSUM,
    "notice": "research software, not a medical device, not for diagnosis",
    "card": {
        "intended_use": "Research.",
        "trained_on": {"n_lesions": 3300},
        "limits": ["None <b>."],
    },
    "operating_points": [
        {"name": "sensitivity 95 %", "threshold": 0.02, "sensitivity": 0.95, "specificity": 0.7},
        {"name": "specificity 95 %", "threshold": 0.2, "sensitivity": 0.7, "specificity": 0.95},
    ],
    "look_budget": [
        {"n": 1, "sensitivity": 0.4, "low": 0.3, "high": 0.52},
        {"n": 2, "sensitivity": 0.7, "low": 0.61, "high": 0.79},
        {"n": 20, "sensitivity": 0.93, "low": 0.88, "high": 0.97},
    ],
    "columns": [
        {"name": "age_approx", "kind": "number", "unit": "years", "low": 0, "high": 120},
        {"name": "sex", "kind": "text", "unit": "", "categories": ["female", "male"]},
    ],
    "limits": {"tile_bytes": 10**6, "tile_px": 1024, "tiles": 100, "seconds": 30, "requests": 4},
}
# Of a map: hiding the upper left lowers the score, hiding the lower right raises it.
DROP = [[0.4, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, -0.2]]


@dataclass(frozen=True)
class Request:
    """What the page sent."""

    path: str
    token: str | None
    fields: dict[str, str]
    tiles: list[str]  # names of files

    @property
    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.fields["table"])))


@dataclass
class Service:
    """How the service behaves, and what it was asked."""

    model: dict[str, Any] = field(default_factory=lambda: MODEL)
    token: str | None = None
    refusals: dict[str, tuple[int, Any]] = field(default_factory=dict)  # by path or patient_id
    n_busy: int = 0  # requests to be refused with 429
    answered: threading.Event = field(default_factory=threading.Event)  # waits until it is set
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)  # of lesions, by isic_id
    requests: list[Request] = field(default_factory=list)

    def of(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def answer(self, request: Request) -> tuple[int, Any]:
        if self.token and request.token != f"Bearer {self.token}":
            return 401, {"detail": []}
        if request.path == "/v1/model":
            return self.refusals.get(request.path, (200, self.model))
        if self.n_busy:
            self.n_busy -= 1
            return 429, {"detail": []}
        if request.path == "/v1/occlusion":
            drawn = {"rows": 3, "columns": 3, "drop": DROP}
            return self.refusals.get(request.path, (200, drawn))
        self.answered.wait(10)
        rows = request.rows
        refused = self.refusals.get(rows[0].get("patient_id", ""))
        return refused or (200, self._scored(rows, request.tiles))

    def _scored(self, rows: list[dict[str, str]], tiles: list[str]) -> dict[str, Any]:
        order = sorted(rows, key=lambda row: -float(row["risk"]))
        lesions = [
            lesion(row, order.index(row) + 1, len(rows), tiles)
            | self.changes.get(row["isic_id"].strip(), {})
            for row in rows
        ]
        bundle = {"version": self.model["version"], "checksum": CHECKSUM}
        return {"bundle": bundle, "warnings": [], "lesions": lesions}


def lesion(row: dict[str, str], rank: int, n_lesions: int, tiles: list[str]) -> dict[str, Any]:
    """Answer for one lesion."""
    risk = float(row["risk"])
    passed = [p["name"] for p in MODEL["operating_points"] if risk >= p["threshold"]]
    stems = {tile.rpartition(".")[0] for tile in tiles}
    return {
        "isic_id": row["isic_id"].strip(),
        "probability": risk,
        "in_words": f"{round(1000 * risk)} in 1,000",
        "rank": rank,
        "n_lesions": n_lesions,
        "operating_points": passed,
        "uncertainty": 0.1,
        "shift": [],
        "reasons": [
            {"feature": "age", "label": "age of the patient", "value": 65.0, "contribution": -0.4},
            {"feature": "width", "label": "longest diameter", "value": 6.2, "contribution": 0.8},
        ],
        "unreadable": None if row["isic_id"].strip() in stems else "it has no tile",
        "members": {"network": risk / 2, "table": risk},
    }


class Server(ThreadingHTTPServer):
    """Runs a service, which may be exchanged, on a free port of the loopback."""

    service: Service

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/"

    def fresh(self) -> Service:
        """Put a new service in the place of the last one."""
        self.service = Service()
        self.service.answered.set()
        return self.service


@contextmanager
def running() -> Iterator[Server]:
    with Server() as server:
        server.fresh()
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.service.answered.set()
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.startswith("/v1/"):
            return self._api({}, [])
        file = PAGE / (self.path.strip("/") or "index.html")
        if not file.is_file():
            return self._send(404, b"", "text/plain")
        return self._send(200, file.read_bytes(), TYPES[file.suffix])

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        form = email.message_from_bytes(head + sent, policy=email.policy.HTTP)
        fields, tiles = {}, []
        for part in form.iter_parts():
            name = part.get_param("name", header="content-disposition")
            if name in ("tiles", "tile"):
                tiles.append(part.get_filename())
            else:
                fields[name] = part.get_payload(decode=True).decode()
        self._api(fields, tiles)

    def _api(self, fields: dict[str, str], tiles: list[str]) -> None:
        request = Request(self.path, self.headers["Authorization"], fields, tiles)
        self.server.service.requests.append(request)
        status, answer = self.server.service.answer(request)
        self._send(status, json.dumps(answer).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        if status == 429:
            self.send_header("Retry-After", "0")
        self.end_headers()
        # Whoever cancelled does not wait for the answer.
        try:
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
