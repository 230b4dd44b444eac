"""Draw the picture of the triage page from a running service, as a browser shows it.

    skinlesion serve bundle &
    python docs/triage.py http://127.0.0.1:8000/ data/raw/synthetic docs/triage.png

Needs chromium. Scores the test set of a challenge folder, which must be the drawn one, so that the
picture can be published.
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

WIDTH, HEIGHT = 1280, 1160  # CSS pixels
DRAWN = "drawn by the project"  # so the model card says of the data
COLOURS = 256
BUDGET = 5  # lesions of each patient


def draw(url: str, folder: Path, png: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(url)
        page.locator("#model-card dl").first.wait_for()
        if DRAWN not in (page.locator("#model-card").text_content() or ""):
            raise SystemExit(f"error: {url} must serve a model of drawn data.")
        content = _shown(page, [folder / "test-metadata.csv", folder / "test-image.hdf5"])
        browser.close()
    with Image.open(io.BytesIO(content)) as image:
        # Of few colours, the rare blue and orange among them.
        few = image.convert("RGB").quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE)
        few.save(png, optimize=True)


def _shown(page: Page, files: list[Path]) -> bytes:
    page.locator("#files").set_input_files(files)
    page.locator("#score:enabled").click()
    page.locator("#results").wait_for(timeout=300_000)
    page.locator("#budget").fill(str(BUDGET))
    page.locator("#lesion figure button").click()
    page.locator("#lesion .legend").wait_for()
    page.evaluate("() => { document.activeElement.blur(); }")
    page.evaluate("() => document.getElementById('results').scrollIntoView()")
    page.wait_for_timeout(500)  # milliseconds, for the last tiles
    return page.screenshot()


if __name__ == "__main__":
    draw(sys.argv[1], *map(Path, sys.argv[2:]))
