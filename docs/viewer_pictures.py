"""Make docs/viewer-*.png: the viewer with the sample exam, and the page about the model.

make viewer-pictures
"""

from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from benchmarks.exams.exam_requests import serving
from benchmarks.load.servers import DEMO
from benchmarks.viewer.opened_browser import opened_browser

FOLDER = Path(__file__).parent
COLORS = 256  # of each picture, rare ones included: greys, a colormap and marks
SECONDS = 60


def main() -> None:
    """Write the pictures."""
    expect.set_options(timeout=1000 * SECONDS)
    with serving(DEMO) as (client, _), opened_browser() as browser:
        address = str(client.base_url)

        page = _open(browser, f"{address}/viewer", "dark")
        _show_sample(page)
        _keep(page, "viewer-exam")
        _zoom_with_maps(page)
        _keep(page, "viewer-maps")

        page = _open(browser, f"{address}/viewer", "light")
        _show_sample(page)
        _keep(page, "viewer-light")

        page = _open(browser, f"{address}/viewer/model", "dark")
        page.wait_for_load_state("networkidle")
        _keep(page, "viewer-model")


def _open(browser: Browser, address: str, scheme: Literal["dark", "light"]) -> Page:
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1440, "height": 900})
    page.goto(address)
    return page


def _show_sample(page: Page) -> None:
    """Show the sample exam, and wait until it is drawn in full."""
    page.get_by_role("button", name="Show the sample exam").click()
    expect(page.locator("canvas.mammogram[data-detail=full]:visible")).to_have_count(4)


def _zoom_with_maps(page: Page) -> None:
    """Show one view at a larger scale, beside the maps of the deepest layer."""
    page.keyboard.press("1")
    page.keyboard.press("+")
    page.keyboard.press("+")
    page.locator("summary", has_text="Maps of a layer").click()
    page.get_by_role("button", name="Show the maps").click()
    maps = page.get_by_role("application")
    expect(maps).to_be_visible()
    maps.scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")


def _keep(page: Page, name: str) -> None:
    """Write what is in sight as a PNG of few colours."""
    shot = Image.open(BytesIO(page.screenshot(animations="disabled")))
    few = shot.convert("RGB").quantize(COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
