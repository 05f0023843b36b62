"""Measures how the page /viewer opens and draws four views, in Chromium without a graphics card.

    python -m benchmarks.viewer [--bundle models/mine/1] [--rounds 6] [--seconds 5]

Opening is measured from the click to the last view that is drawn in full, each time in a browser
without history.

The exam is that of a phantom patient, 3328 x 2560 pixels, 12 bits. Each way of drawing is kept up
by one change in each frame of the browser, so the rate is that at which pictures follow the hand.
Memory is the resident memory of all processes of the browser with the page, without that of the
same browser with an empty page.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize

from benchmarks.exams.exam_requests import exam_files, serving
from benchmarks.load.servers import DEMO
from benchmarks.viewer.browser_memory import peak_mib, resident_mib
from benchmarks.viewer.drawing_rate import WAYS, frames_per_second, full_milliseconds
from benchmarks.viewer.opened_browser import opened_browser
from benchmarks.viewer.opening_time import choose, print_opening, wait_until_drawn
from training import phantoms

SIZE: ViewportSize = {"width": 1500, "height": 950}
_MINUTE = 60_000


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--bundle", type=Path, default=DEMO, help="version directory (default: the demo)"
    )
    parser.add_argument("--seconds", type=float, default=5, help="of each way (default 5)")
    parser.add_argument("--rounds", type=int, default=6, help="of opening an exam (default 6)")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}")

    with (
        tempfile.TemporaryDirectory() as folder,
        serving(options.bundle) as (client, _),
        opened_browser() as browser,
    ):
        files = _written(Path(folder))
        address = str(client.base_url)
        print_opening(browser, address, files, options.rounds)
        _measure(browser, address, files, options.seconds)


def _written(folder: Path) -> list[Path]:
    """Write the files of the exam."""
    paths = []
    for data, (side, view) in zip(exam_files(3328, 2560), phantoms.VIEWS, strict=True):
        path = folder / f"{side}-{view}.dcm"
        path.write_bytes(data)
        paths.append(path)
    return paths


def _measure(browser: Browser, address: str, files: list[Path], seconds: float) -> None:
    page = browser.new_page(viewport=SIZE)
    page.set_default_timeout(2 * _MINUTE)
    page.goto("about:blank")
    empty = resident_mib()

    page.goto(f"{address}/viewer")
    choose(page, files)
    wait_until_drawn(page)
    print(f"\nmemory with four views: {resident_mib() - empty:.0f} MiB")
    print("\n| four views | frames a second |\n|---|---|")
    for name in WAYS:
        print(f"| {name} | {frames_per_second(page, name, seconds):.0f} |")
    print(f"\nlongest frame in which a view is drawn in full: {full_milliseconds(page):.0f} ms")
    print(f"memory after that: {resident_mib() - empty:.0f} MiB")
    print(f"most that one process of the browser has had, itself included: {peak_mib():.0f} MiB")


if __name__ == "__main__":
    main()
