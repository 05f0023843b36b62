"""Time from a click to four views that are drawn in full, and the bytes that this takes."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, Request, expect

_MINUTE = 60_000


def print_opening(browser: Browser, address: str, files: list[Path], rounds: int) -> None:
    """Print a table of seconds and one of bytes. Each round is a browser without history."""
    sample = [_seconds(browser, address, _click_sample) for _ in range(rounds)]
    large = [_seconds(browser, address, lambda page: choose(page, files)) for _ in range(rounds)]
    print("\n| four views drawn in full | first | median of the others |\n|---|---|---|")
    for name, seconds in (("sample exam", sample), ("3328 x 2560 pixels", large)):
        others = statistics.median(seconds[1:])
        print(f"| {name} | {seconds[0]:.1f} s | {others:.1f} s |")

    print("\n| what | received |\n|---|---|")
    for name, size in _received(browser, address).items():
        print(f"| {name} | {size / 1000:,.0f} kB |")


def choose(page: Page, files: list[Path]) -> None:
    """Choose files in the dialog of the browser."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files(files)


def wait_until_drawn(page: Page) -> None:
    """Wait until four views are drawn in full."""
    canvases = page.locator("canvas.mammogram[data-detail=full]:visible")
    expect(canvases).to_have_count(4, timeout=2 * _MINUTE)


def _click_sample(page: Page) -> None:
    page.get_by_role("button", name="Show the sample exam").click()


def _seconds(browser: Browser, address: str, start: Callable[[Page], None]) -> float:
    page = browser.new_page()
    page.goto(f"{address}/viewer", wait_until="networkidle")

    begin = time.perf_counter()
    start(page)
    wait_until_drawn(page)
    seconds = time.perf_counter() - begin

    page.context.close()
    return seconds


def _received(browser: Browser, address: str) -> dict[str, int]:
    """Return the bytes of bodies as they are sent, which may be compressed."""
    page = browser.new_page()
    requests: list[Request] = []

    def note(request: Request) -> None:
        requests.append(request)

    page.on("requestfinished", note)
    page.goto(f"{address}/viewer", wait_until="networkidle")
    before = len(requests)
    _click_sample(page)
    wait_until_drawn(page)

    sizes = {"page with styles and scripts": 0, "files of the sample": 0, "answer about it": 0}
    for number, request in enumerate(requests):
        size = request.sizes()["responseBodySize"]
        if number < before:
            sizes["page with styles and scripts"] += size
        elif "/viewer/sample/" in request.url:
            sizes["files of the sample"] += size
        elif "/exam/pixels" in request.url:
            sizes["answer about it"] += size

    page.context.close()
    return sizes
