"""The triage page in chromium: windows that note what goes wrong, and what is on the page."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from tests.process import PATIENCE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
# An answer that refuses is told to the console by the browser itself.
TOLD = "Failed to load resource: the server responded with a status of"
WATCH = """
window.urls = new Set();
const { createObjectURL, revokeObjectURL } = URL;
URL.createObjectURL = (of) => { const url = createObjectURL(of); urls.add(url); return url; };
URL.revokeObjectURL = (url) => { urls.delete(url); revokeObjectURL(url); };
document.addEventListener("securitypolicyviolation", (e) => console.error(e.violatedDirective));
"""
expect.set_options(timeout=1000 * PATIENCE)
NEEDS_CHROMIUM = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no chromium on this machine; Debian has a package of it"
)


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield launched
        launched.close()


class Window:
    """A window of the browser, which says what it complained of and whom it asked."""

    def __init__(self, browser: Browser, width: int) -> None:
        size = {"width": width, "height": 900}
        small = width < 600
        context = browser.new_context(viewport=size, is_mobile=small, has_touch=small)
        self.page = context.new_page()
        self.page.set_default_timeout(1000 * PATIENCE)
        self.page.add_init_script(WATCH)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, url: str) -> Page:
        self.said.clear()
        self.asked.clear()
        self.page.goto(url)
        return self.page

    def complaints(self, url: str) -> list[str]:
        said = [line for line in self.said if not line.startswith(TOLD)]
        return said + [asked for asked in self.asked if not asked.startswith((url, f"blob:{url}"))]


def choose(page: Page, files: list[Path]) -> None:
    page.get_by_label("Choose files").set_input_files(files)


def score(page: Page, files: list[Path]) -> None:
    choose(page, files)
    page.get_by_role("button", name="Score").click()
    expect(page.get_by_role("status").first).to_contain_text("scored")


def cards(page: Page) -> Locator:
    return page.locator(".card")


def ids(page: Page) -> list[str]:
    return [card.get_attribute("data-id") or "" for card in cards(page).all()]


def panel(page: Page) -> Locator:
    return page.get_by_role("complementary")
