"""The viewer in Chromium: exams, refused files, and what it asks, sends and keeps."""

import re

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.support.browser import Visit
from tests.support.dicom_files import stored_breast, write_dicom
from tests.support.exam_files import exam_file
from tests.support.paths import ROOT
from tests.support.viewer_page import (
    SAMPLE_FILES,
    choose_files,
    open_sample,
    payload,
    problem_of,
    wait_for_scores,
)

pytestmark = pytest.mark.interop

MAX_BYTES = 100_000
CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"

_KEPT = """async () => ({
  local: localStorage.length,
  session: sessionStorage.length,
  databases: (await indexedDB.databases()).length,
  caches: (await caches.keys()).length,
  workers: (await navigator.serviceWorker.getRegistrations()).length,
  cookies: document.cookie.length,
})"""


def notice(page: Page) -> Locator:
    """Return the words that are always in sight."""
    return page.get_by_role("banner").get_by_text("Not a medical device")


def test_empty_page_says_how_to_begin(demo_address: str, visit: Visit) -> None:
    visit.page.goto(f"{demo_address}/viewer")

    expect(visit.page.get_by_role("heading", name="Drop up to eight mammograms")).to_be_visible()
    expect(visit.page.get_by_role("button", name="Choose files")).to_be_visible()
    expect(notice(visit.page)).to_be_visible()
    expect(visit.page.locator("#model")).to_have_text("demo, version 1")
    visit.assert_quiet(demo_address)


def test_one_click_shows_sample_exam(demo_address: str, visit: Visit) -> None:
    open_sample(visit.page, demo_address)

    captions = visit.page.locator("figcaption")
    names = [re.compile(f"^{name}") for name in ("R CC", "L CC", "R MLO", "L MLO")]
    expect(captions).to_contain_text(names)
    expect(captions.filter(has_text="positive")).to_have_count(2)
    expect(captions.filter(has_text="heat here is no finding")).to_have_count(2)
    expect(notice(visit.page)).to_be_visible()
    visit.assert_quiet(demo_address)


def test_both_pages_are_small_on_the_wire(demo_address: str, visit: Visit) -> None:
    received: list[int] = []

    def note_size(request: Request) -> None:
        if request.resource_type not in {"xhr", "fetch"}:  # answers are no part of the pages
            received.append(request.sizes()["responseBodySize"])

    visit.page.on("requestfinished", note_size)

    visit.page.goto(f"{demo_address}/viewer", wait_until="networkidle")
    visit.page.goto(f"{demo_address}/viewer/model", wait_until="networkidle")

    assert len(received) > 20
    assert sum(received) < MAX_BYTES


def test_nothing_is_kept_after_use(demo_address: str, visit: Visit) -> None:
    open_sample(visit.page, demo_address)

    assert set(visit.page.evaluate(_KEPT).values()) == {0}
    assert visit.context.cookies() == []
    assert visit.page.evaluate("history.length") == 2  # about:blank and the page
    visit.page.reload()
    expect(visit.page.get_by_role("button", name="Choose files")).to_be_visible()
    expect(visit.page.locator("figure:visible")).to_have_count(0)


def test_refused_files_leave_the_good_ones(demo_address: str, visit: Visit) -> None:
    ct = write_dicom(stored_breast(), SOPClassUID=CT_IMAGE_STORAGE, Modality="CT")
    visit.page.goto(f"{demo_address}/viewer")

    choose_files(visit.page, [ROOT / "README.md", *SAMPLE_FILES, payload("slice.dcm", ct)])

    wait_for_scores(visit.page)
    refused = visit.page.get_by_role("listitem").filter(has_text="refused")
    expect(refused).to_have_count(2)
    expect(refused.first).to_contain_text("README.md")
    expect(refused.first).to_contain_text("Unsupported file format")
    expect(refused.last).to_contain_text("slice.dcm")
    expect(refused.last).to_contain_text("Not a mammogram")
    visit.assert_quiet(demo_address)


def test_exam_without_good_file_names_reasons(demo_address: str, visit: Visit) -> None:
    visit.page.goto(f"{demo_address}/viewer")

    choose_files(visit.page, [ROOT / "README.md", ROOT / "LICENSE"])

    expect(problem_of(visit.page)).to_be_visible()
    lines = visit.page.get_by_role("listitem")
    expect(lines).to_contain_text(["README.md", "LICENSE"])
    expect(lines).to_contain_text(["Unsupported file format", "Unsupported file format"])
    visit.assert_quiet(demo_address, expected="status of 422")


def test_mixed_patients_are_told(demo_address: str, visit: Visit) -> None:
    visit.page.goto(f"{demo_address}/viewer")
    files = [payload(f"{patient}.dcm", exam_file("L", "CC", patient)) for patient in (1, 2)]

    choose_files(visit.page, files)

    expect(problem_of(visit.page)).to_contain_text(re.compile("patient", re.IGNORECASE))
    expect(visit.page.locator("figure:visible")).to_have_count(0)
    visit.assert_quiet(demo_address, expected="status of 422")


def test_more_than_eight_files_send_nothing(demo_address: str, visit: Visit) -> None:
    visit.page.goto(f"{demo_address}/viewer")
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.method))

    choose_files(visit.page, [payload(f"{number}.dcm", b"DICM") for number in range(9)])

    expect(problem_of(visit.page)).to_contain_text("More than eight files")
    assert "POST" not in asked
    visit.assert_quiet(demo_address)


def test_lost_network_loses_nothing(demo_address: str, visit: Visit) -> None:
    open_sample(visit.page, demo_address)

    visit.context.set_offline(offline=True)
    choose_files(visit.page, SAMPLE_FILES[:1])

    expect(problem_of(visit.page)).to_contain_text("cannot be reached")
    wait_for_scores(visit.page)

    visit.context.set_offline(offline=False)
    visit.page.get_by_role("button", name="Ask again").click()
    wait_for_scores(visit.page, views=1)
    visit.assert_quiet(demo_address, expected="ERR_INTERNET_DISCONNECTED")


def test_former_exam_is_named_as_such(demo_address: str, visit: Visit) -> None:
    open_sample(visit.page, demo_address)
    note = visit.page.get_by_text("Below: the former exam, of 4 files")
    dimmed = visit.page.locator("main.former")

    choose_files(visit.page, [ROOT / "README.md"])

    expect(note).to_contain_text("R CC, L CC, R MLO and L MLO). The new files have no answer.")
    expect(visit.page.locator(".former .hung")).to_have_css("opacity", "0.55")
    expect(visit.page.locator(".former #panel")).to_have_css("opacity", "0.55")

    visit.page.get_by_role("button", name="Discard these files").click()
    expect(note).to_be_hidden()
    expect(dimmed).to_have_count(0)
    visit.assert_quiet(demo_address, expected="status of 422")


def test_phone_shows_views_in_one_column(demo_address: str, visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 390, "height": 800})

    open_sample(visit.page, demo_address)

    boxes = [figure.bounding_box() for figure in visit.page.locator("figure:visible").all()]
    places = [(box["x"], box["width"]) for box in boxes if box]
    tops = [box["y"] for box in boxes if box]
    assert places == [(0, 390)] * 4
    assert tops == sorted(set(tops))
