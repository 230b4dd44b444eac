"""The report in a browser: it stands alone, fits a phone and a desktop, complains of nothing.

Chromium is spoken to over two pipes in its own protocol, so that neither a driver nor a package
is needed: https://chromedevtools.github.io/devtools-protocol/
"""

import fcntl
import json
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import report_files

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run"
OPTIONS += " --disable-background-networking --remote-debugging-pipe"
PATIENCE_S = 60
WIDTHS = pytest.mark.parametrize("width", [390, 1280])
MEASURE = """
for (const details of document.querySelectorAll("details")) details.open = true;
const width = document.documentElement.clientWidth;
const scrolls = (e) => e && (/auto|scroll/.test(getComputedStyle(e).overflowX)
  || scrolls(e.parentElement));
const name = (e) => e.outerHTML.slice(0, 80);
const all = [...document.querySelectorAll("body *")];
JSON.stringify({
  width,
  scrolled: document.documentElement.scrollWidth,
  beyond: all.filter((e) => e.getBoundingClientRect().right > width + 0.5 && !scrolls(e)).map(name),
  pictures: document.images.length,
  broken: [...document.images].filter((i) => !i.complete || !i.naturalWidth).map(name),
})
"""

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no chromium on this machine; Debian has a package of it"
)


class Browser:
    """A headless Chromium with one page."""

    def __init__(self, profile: Path) -> None:
        theirs, self.sink = os.pipe()
        self.source, answers = os.pipe()
        # Chromium reads from 3 and writes to 4. Moved up first, lest one overwrite the other.
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (theirs, answers)]
        line = f'exec "$0" "$@" 3<&{high[0]} 4>&{high[1]}'
        options = [*OPTIONS.split(), f"--user-data-dir={profile}"]
        self.process = subprocess.Popen(
            ["bash", "-c", line, str(CHROMIUM), *options], pass_fds=high, stderr=subprocess.DEVNULL
        )
        for fd in (theirs, answers, *high):
            os.close(fd)
        self.unread, self.n_sent, self.session = b"", 0, {}
        self.events: list[dict[str, Any]] = []
        page = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=page, flatten=True)
        self.session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Log", "Runtime", "Network"):
            self.send(f"{domain}.enable")
        self.send("Page.setLifecycleEventsEnabled", enabled=True)

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command; return its result. Events that come before it are kept."""
        self.n_sent += 1
        message = {"id": self.n_sent, "method": method, "params": params, **self.session}
        os.write(self.sink, json.dumps(message).encode() + b"\0")
        while (answer := self.receive()).get("id") != self.n_sent:
            self.events.append(answer)
        assert "result" in answer, answer
        return answer["result"]

    def receive(self) -> dict[str, Any]:
        while b"\0" not in self.unread:
            assert select.select([self.source], [], [], PATIENCE_S)[0], "Chromium must answer"
            received = os.read(self.source, 1 << 20)
            assert received, "Chromium must not end by itself"
            self.unread += received
        message, self.unread = self.unread.split(b"\0", 1)
        return json.loads(message)

    def open(self, page: Path, width: int) -> None:
        """Open a page in a window as wide as asked, and wait for its pictures."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        self.events.clear()
        loader = self.send("Page.navigate", url=page.as_uri())["loaderId"]
        loaded = {"loaderId": loader, "name": "load"}
        while not any(e.items() >= loaded.items() for e in self.seen("Page.lifecycleEvent")):
            self.events.append(self.receive())

    def ask(self, expression: str) -> Any:
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"]["value"]

    def seen(self, *methods: str) -> list[dict[str, Any]]:
        return [event["params"] for event in self.events if event.get("method") in methods]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        os.close(self.sink)
        os.close(self.source)


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


def complaints(browser: Browser, page: Path, width: int) -> dict[str, Any]:
    """All that is wrong with a page, by kind; and how many pictures it has."""
    browser.open(page, width)
    found = json.loads(browser.ask(f"{{{MEASURE}}}"))
    said = browser.seen("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
    requests = [r["request"]["url"] for r in browser.seen("Network.requestWillBeSent")]
    return {
        "said": said,
        "requests": [u for u in requests if u != page.as_uri() and not u.startswith("data:")],
        "too wide": found["beyond"] if found["scrolled"] <= found["width"] else found,
        "broken": found["broken"],
        "pictures": found["pictures"],
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "files"
    report_files.page(folder, n_folds=5)
    return folder / "out.html"


@WIDTHS
def test_the_page_stands_alone_and_nothing_is_wider_than_the_window(browser, whole, width):
    found = complaints(browser, whole, width)
    assert found.pop("pictures") == 8
    assert not any(found.values()), found


@WIDTHS
def test_a_page_without_maps_intervals_and_baseline_fits_too(browser, tmp_path, width):
    undefined = {"value": None, "low": None, "high": None}
    names = ("pauc", "auc", "average_precision", "top_k_sensitivity")
    found = report_files.details(baseline=None, ranking=dict.fromkeys(names, undefined))
    report_files.page(tmp_path / "files", images=False, found=found)
    found = complaints(browser, tmp_path / "files" / "out.html", width)
    assert found.pop("pictures") == 4
    assert not any(found.values()), found


@pytest.mark.parametrize(
    ("kind", "spoilt"),
    [
        ("too wide", '<div style="width: 600px">wide</div>'),
        ("too wide", '<p style="position: relative; left: 30px; width: 100%">shifted</p>'),
        ("broken", '<img src="data:image/png;base64,AAAA" alt="none">'),
        ("requests", '<img src="other.png" alt="none">'),
        ("requests", '<link rel="stylesheet" href="https://example.org/style.css">'),
        ("said", '<script>console.error("no")</script>'),
        ("said", '<script>console.warn("no")</script>'),
        ("said", '<script>throw Error("no")</script>'),
    ],
)
def test_what_is_wrong_with_a_page_would_be_seen(browser, whole, tmp_path, kind, spoilt):
    page = tmp_path / "spoilt.html"
    text = whole.read_text().replace("Content-Security-Policy", "none")
    page.write_text(text.replace("</main>", f"{spoilt}</main>"))
    assert complaints(browser, page, 390)[kind]


def test_a_script_that_got_into_the_page_would_not_run(browser, whole, tmp_path):
    page = tmp_path / "spoilt.html"
    script = "<script>document.body.remove()</script></main>"
    page.write_text(whole.read_text().replace("</main>", script))
    assert "Content Security Policy" in str(complaints(browser, page, 390)["said"])
    assert browser.ask("document.body.children.length") > 1
