"""The viewer in a browser, used as a person uses it."""

import re
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.support.paths import ROOT

SAMPLE_NAMES = ("R-CC.dcm", "L-CC.dcm", "R-MLO.dcm", "L-MLO.dcm")
SAMPLE_FILES = [ROOT / "docs" / "sample-exam" / name for name in SAMPLE_NAMES]


def open_sample(page: Page, address: str) -> None:
    """Open the viewer with the sample exam, and wait until its four views have scores."""
    page.goto(f"{address}/viewer")
    page.get_by_role("button", name="Show the sample exam").click()
    wait_for_scores(page)


def wait_for_scores(page: Page, views: int = 4) -> None:
    """Wait until so many views have scores."""
    scores = page.locator("figcaption:visible").filter(has_text=re.compile(r"\d %"))
    expect(scores).to_have_count(views)


def choose_files(page: Page, files: Sequence[Path | FilePayload]) -> None:
    """Choose files in the browser's dialog: paths, or contents with names."""
    paths = [file for file in files if isinstance(file, Path)]
    payloads = [
        payload(file.name, file.read_bytes()) if isinstance(file, Path) else file for file in files
    ]
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Open files").click()
    chooser.value.set_files(paths if len(paths) == len(files) else payloads)


def payload(name: str, content: bytes) -> FilePayload:
    """Return a file that lies nowhere."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def problem_of(page: Page) -> Locator:
    """Return the box that tells a problem."""
    return page.get_by_role("group", name="Problem")


def clipped_texts(page: Page) -> list[str]:
    """Return the texts that are cut off, or that overlap the edge of the page."""
    return list(page.evaluate(_CLIPPED))


_CLIPPED = """() => {
  const isShown = (one) => one.checkVisibility({ visibilityProperty: true });
  const isUnseen = (one) => one.closest(".unseen, .skip, dialog:not([open])");
  const ownText = (one) =>
    [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());

  const texts = [...document.querySelectorAll("body *")].filter(
    (one) => ownText(one) && isShown(one) && !isUnseen(one));
  const isCut = (text) => {
    const range = document.createRange();
    range.selectNodeContents(text);
    const box = range.getBoundingClientRect();
    for (let one = text; one; one = one.parentElement) {
      const style = getComputedStyle(one);
      const frame = one.getBoundingClientRect();
      const cutsX = /hidden|clip/.test(style.overflowX);
      const cutsY = /hidden|clip/.test(style.overflowY);
      const scrolls = /auto|scroll/.test(style.overflowX + style.overflowY);
      if (cutsX && (box.right > frame.right + 1 || box.left < frame.left - 1)) return true;
      if (cutsY && (box.bottom > frame.bottom + 1 || box.top < frame.top - 1)) return true;
      if (scrolls) return false;
    }
    return box.right > innerWidth + 1 || box.left < -1;
  };
  return texts.filter(isCut).map((one) => one.textContent.trim().slice(0, 60));
}"""
