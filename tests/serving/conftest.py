"""A service whose bundle looks at the brightness of tiles alone."""

import json
from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import TestClient
from tests.serving_bundle import Brightness, tile

from skinlesion.serving import app, settings


@pytest.fixture
def bundle() -> Brightness:
    return Brightness()


@pytest.fixture
def started(bundle) -> Iterator[Callable[..., TestClient]]:
    """Start a service with settings; it ends with the test."""
    clients = []

    def start(**given: object) -> TestClient:
        client = TestClient(app.create(bundle, settings.load(given)))
        clients.append(client.__enter__())
        return client

    yield start
    bundle.free.set()
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def client(started) -> TestClient:
    """A service with the settings that it has by itself."""
    return started()


@pytest.fixture
def lesion() -> Callable[..., dict]:
    """Make the form of one lesion, with a tile and changed values."""

    def make(content: bytes | None = None, **row: object) -> dict:
        given = {"age_approx": 60, "sex": "male"} | row
        content = tile() if content is None else content
        return {"files": {"tile": ("a.png", content)}, "data": {"row": json.dumps(given)}}

    return make


@pytest.fixture
def patient() -> Callable[..., dict]:
    """Make the form of a patient: a table, and tiles by name."""

    def make(table: str | bytes, **tiles: bytes) -> dict:
        files = [("tiles", (f"{name}.png", content)) for name, content in tiles.items()]
        return {"files": [("table", ("table.csv", table)), *files]}

    return make
