"""The triage page as the real service serves it, under its headers."""

import socket
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from tests import triage_pages

app = pytest.importorskip("skinlesion.serving.app")
uvicorn = pytest.importorskip("uvicorn")
settings = pytest.importorskip("skinlesion.serving.settings")
serving_bundle = pytest.importorskip("tests.serving_bundle")

pytestmark = triage_pages.NEEDS_CHROMIUM


@pytest.fixture
def url() -> Iterator[str]:
    """Run a service on a free port of the loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            app.create(serving_bundle.Brightness(), settings.load({})), log_config=None
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        server.should_exit = True
        thread.join()


def test_a_patient_is_scored_looked_into_and_refused(url, tmp_path):
    table = tmp_path / "lesions.csv"
    table.write_text("isic_id,patient_id,age_approx,sex\nA,P,60,male\nB,P,60,\nC,Q,old,male\n")
    for name, grey in (("A", 200), ("B", 60), ("C", 100)):
        (tmp_path / f"{name}.png").write_bytes(serving_bundle.tile(grey))
    with triage_pages.browser() as browser:
        window = triage_pages.Window(browser, 1280)
        page = window.open(url)
        triage_pages.score(page, sorted(tmp_path.iterdir()))

        assert triage_pages.ids(page) == ["B", "A"]
        expect(page.get_by_role("alert").get_by_role("row").nth(1)).to_contain_text("age_approx")
        shown = triage_pages.panel(page)
        shown.get_by_role("button", name="Where the network looks").click()
        expect(shown.locator("canvas")).to_be_visible()
        assert not window.complaints(url)
