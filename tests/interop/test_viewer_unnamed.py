"""Files without side and view in the viewer: their names stay in the page."""

import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from service.imaging import Limits, decode
from tests.support.browser import Visit
from tests.support.viewer_page import SAMPLE_FILES, choose_files, payload, wait_for_scores

pytestmark = pytest.mark.interop

NAME = "DOE^JANE.png"


def test_saved_picture_holds_no_file_name(fake_address: str, visit: Visit, tmp_path: Path) -> None:
    visit.page.goto(f"{fake_address}/viewer")
    choose_files(visit.page, [payload(NAME, png())])
    wait_for_scores(visit.page, 1)

    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Save the images as PNG").click()
    download.value.save_as(tmp_path / "saved.png")

    text = Image.open(tmp_path / "saved.png").text["Description"]  # type: ignore[attr-defined]
    assert "DOE" not in text
    assert "\nImage 1 " in text
    expect(visit.page.locator("figcaption:visible")).to_contain_text(NAME)
    visit.assert_quiet(fake_address)


def test_unnamed_files_offer_to_hang_them(fake_address: str, visit: Visit) -> None:
    visit.page.goto(f"{fake_address}/viewer")

    choose_files(visit.page, [payload("a.png", png()), payload("b.png", png(1))])

    wait_for_scores(visit.page, 1)
    words = visit.page.get_by_text("No file says side and view. Set them to hang the images.")
    expect(words).to_have_count(1)
    expect(words.get_by_role("button", name="Set side and view")).to_be_visible()
    for name in ("Four views", "Two views"):
        expect(visit.page.get_by_role("button", name=name)).to_be_disabled()
    visit.page.keyboard.press("4")
    visit.page.keyboard.press("n")
    expect(visit.page.locator("figcaption:visible")).to_contain_text("b.png")
    visit.assert_quiet(fake_address)


def png(number: int = 0) -> bytes:
    """Return a view of the sample exam as PNG, which says neither side nor view."""
    mammogram = decode(SAMPLE_FILES[number].read_bytes(), Limits())
    stream = io.BytesIO()
    Image.fromarray(mammogram.pixels).save(stream, "PNG")
    return stream.getvalue()
