"""The report in a browser: it stands alone, fits a phone and a desktop, complains of nothing."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from tests import report_files

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
DRAWN = "drawn by the project itself"
WIDTHS = pytest.mark.parametrize("width", [390, 1280])
MEASURE = """() => {
for (const details of document.querySelectorAll("details")) details.open = true;
const width = document.documentElement.clientWidth;
const scrolls = (e) => e && (/auto|scroll/.test(getComputedStyle(e).overflowX)
  || scrolls(e.parentElement));
const name = (e) => e.outerHTML.slice(0, 80);
const all = [...document.querySelectorAll("body *")];
return {
  width,
  scrolled: document.documentElement.scrollWidth,
  beyond: all.filter((e) => e.getBoundingClientRect().right > width + 0.5 && !scrolls(e)).map(name),
  pictures: document.images.length,
  broken: [...document.images].filter((i) => !i.complete || !i.naturalWidth).map(name),
};
}"""

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no chromium on this machine; Debian has a package of it"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


def opened(browser: Browser, html: Path, width: int) -> tuple[Page, dict[str, list[str]]]:
    """Open a page in a window as wide as asked, and wait for its pictures.

    Returns the page, what it said (on the console, or as an error) and what else it asked for.
    """
    seen: dict[str, list[str]] = {"said": [], "requests": []}
    size = {"width": width, "height": 900}
    page = browser.new_context(viewport=size, is_mobile=width < 600).new_page()
    page.on("console", lambda message: seen["said"].append(message.text))
    page.on("pageerror", lambda error: seen["said"].append(str(error)))
    page.on("request", lambda request: seen["requests"].append(request.url))
    page.goto(html.as_uri())
    seen["requests"].remove(html.as_uri())
    seen["requests"] = [url for url in seen["requests"] if not url.startswith("data:")]
    return page, seen


def complaints(browser: Browser, html: Path, width: int) -> dict[str, Any]:
    """All that is wrong with a page, by kind; and how many pictures it has."""
    page, seen = opened(browser, html, width)
    found = page.evaluate(MEASURE)
    page.context.close()
    return {
        **seen,
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
    html = tmp_path / "spoilt.html"
    script = "<script>document.body.remove()</script></main>"
    html.write_text(whole.read_text().replace("</main>", script))
    page, seen = opened(browser, html, 390)

    assert "Content Security Policy" in str(seen["said"])
    assert page.evaluate("() => document.body.children.length") > 1
    page.context.close()


# === README's picture ===


def picture(*arguments: Path) -> subprocess.CompletedProcess:
    line = [sys.executable, ROOT / "docs" / "picture.py", *arguments]
    return subprocess.run(line, capture_output=True, text=True)


def test_the_picture_of_readme_is_drawn_from_a_report_and_small(whole, tmp_path):
    drawn = tmp_path / "drawn.html"
    drawn.write_text(whole.read_text().replace("</header>", f"{DRAWN}</header>"))
    ran = picture(drawn, tmp_path / "report.png")

    assert ran.returncode == 0, ran.stderr
    for png in (tmp_path / "report.png", ROOT / "docs" / "report.png"):
        with Image.open(png) as image:
            assert image.format == "PNG"
            assert image.width == 1000
            assert 500 < image.height < 1200
        assert png.stat().st_size < 200_000
    assert "(docs/report.png)" in (ROOT / "README.md").read_text()


def test_no_picture_is_drawn_of_lesions_of_people(whole, tmp_path):
    real = tmp_path / "real.html"
    real.write_text(whole.read_text().replace(DRAWN, ""))
    ran = picture(real, tmp_path / "report.png")

    assert ran.returncode == 1
    assert ran.stderr.startswith("error: ")
    assert not (tmp_path / "report.png").exists()
