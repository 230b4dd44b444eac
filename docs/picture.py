"""Draw README's picture from a report, as a browser shows it: the verdict and its two curves.

    python docs/picture.py metrics/report.html docs/report.png

Needs chromium. The report must be of drawn data, so that the picture can be published.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

WIDTH = 1000  # CSS pixels
# The page is long. The picture leaves out what takes space and says little at this size.
STYLE = """
nav, .notice, #verdict > h2, #verdict table, #verdict .table, #ranking > h2, #ranking > p,
#ranking ~ section, footer { display: none !important }
#verdict, #ranking { border: 0 !important; margin: 0 !important; padding: 0 !important }
#verdict { columns: 3; column-gap: 2rem; font-size: 0.82rem }
#verdict > * { break-inside: avoid; font-size: inherit !important }
"""


def draw(report_html: Path, png: Path) -> None:
    if "drawn by the project itself" not in report_html.read_text(encoding="utf-8"):
        raise SystemExit(f"error: {report_html} must be of drawn data, which may be published.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": 800}, bypass_csp=True)
        page.goto(report_html.resolve().as_uri())
        page.add_style_tag(content=STYLE)
        bottom = page.locator("#ranking figure").nth(1).bounding_box()
        assert bottom is not None
        height = bottom["y"] + bottom["height"] + 16
        page.screenshot(
            path=png, full_page=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": height}
        )
        browser.close()


if __name__ == "__main__":
    draw(*map(Path, sys.argv[1:]))
