"""The viewer for everybody: rules of accessibility, keys alone, large text, a phone."""

import time
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from service.access import AccessScope, add_key
from tests.support.browser import SECONDS, Visit, accessibility_faults, visiting
from tests.support.paths import ROOT
from tests.support.servers import running
from tests.support.viewer_page import (
    choose_files,
    clipped_texts,
    open_sample,
    problem_of,
    wait_for_scores,
)

pytestmark = pytest.mark.interop

SCHEMES: list[Literal["dark", "light"]] = ["dark", "light"]
PHONE = {"width": 390, "height": 844}
MAX_TABS = 200


@pytest.fixture(params=SCHEMES)
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page in dark and in light colours."""
    with visiting(browser, color_scheme=request.param) as visit:
        yield visit.page


@pytest.fixture(scope="module")
def locked_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a service that asks for keys."""
    keys = tmp_path_factory.mktemp("keys") / "keys.toml"
    add_key(keys, "reader", [AccessScope.EXPLAIN])
    with running(MAMMOLENS_KEYS=str(keys)) as server:
        yield server.address


def test_empty_page_is_accessible(demo_address: str, page: Page) -> None:
    page.goto(f"{demo_address}/viewer")

    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    assert accessibility_faults(page) == ""


def test_exam_is_accessible(demo_address: str, page: Page) -> None:
    open_sample(page, demo_address)
    for closed in page.locator("#panel summary").all():
        closed.click()

    assert accessibility_faults(page) == ""


def test_problem_is_accessible(demo_address: str, page: Page) -> None:
    page.goto(f"{demo_address}/viewer")
    choose_files(page, [ROOT / "README.md"])

    expect(problem_of(page)).to_be_visible()
    assert accessibility_faults(page) == ""


def test_key_dialog_is_accessible(locked_address: str, page: Page) -> None:
    page.goto(f"{locked_address}/viewer")
    page.get_by_role("button", name="Show the sample exam").click()

    expect(page.get_by_role("dialog", name="API key")).to_be_visible()
    assert accessibility_faults(page) == ""


def test_list_of_keys_is_accessible(demo_address: str, page: Page) -> None:
    page.goto(f"{demo_address}/viewer")
    page.get_by_role("button", name="Keys").click()

    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert accessibility_faults(page) == ""


def test_text_of_double_size_is_whole(demo_address: str, visit: Visit) -> None:
    open_sample(visit.page, demo_address)

    visit.page.evaluate("document.documentElement.style.fontSize = '200%'")

    assert clipped_texts(visit.page) == []


def test_phone_shows_answer_below_images(demo_address: str, browser: Browser) -> None:
    with visiting(browser, viewport=PHONE, is_mobile=True, has_touch=True) as visit:
        open_sample(visit.page, demo_address)

        assert visit.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert clipped_texts(visit.page) == []
        images = visit.page.get_by_role("region", name="Images").bounding_box()
        answer = visit.page.get_by_role("complementary", name="Answer").bounding_box()
        assert images
        assert answer
        assert answer["y"] >= images["y"] + images["height"]
        visit.assert_quiet(demo_address)


def test_keys_alone_do_everything(demo_address: str, visit: Visit) -> None:
    page = visit.page
    panel = page.get_by_role("complementary", name="Answer")
    current = page.locator("figure[aria-current=true]")
    page.goto(f"{demo_address}/viewer")

    reach(page, page.get_by_role("button", name="Show the sample exam"))
    page.keyboard.press("Enter")
    wait_for_scores(page)
    expect(current).to_contain_text("R CC")
    page.keyboard.press("n")
    expect(current).to_contain_text("L CC")
    page.keyboard.press("1")
    expect(page.locator("figure:visible")).to_have_count(1)

    for keys in (["+", "+"], ["ArrowUp"], ["w", "ArrowRight"], ["i"], ["0"]):
        assert_redrawn(page, current, keys)

    reach(page, panel.locator("summary", has_text="Preference for the breast"))
    page.keyboard.press("Enter")
    expect(panel.locator("details[open]")).to_have_count(1)

    reach(page, panel.get_by_role("combobox", name="Method"))
    page.keyboard.type("HiRes")
    reach(page, panel.get_by_role("button", name="Explain with this"))
    with page.expect_response("**/exam/pixels?*method=hires-cam*"):
        page.keyboard.press("Enter")

    reach(page, panel.locator("summary", has_text="Maps of a layer"))
    page.keyboard.press("Enter")
    reach(page, panel.get_by_role("button", name="Show the maps"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("application")).to_be_visible()

    reach(page, panel.get_by_role("button", name="Save the images as PNG"))
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.endswith(".png")

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    visit.assert_quiet(demo_address)


def reach(page: Page, target: Locator) -> None:
    """Press Tab until the element has the focus. A second round reaches what lies before it."""
    for _ in range(MAX_TABS):
        page.keyboard.press("Tab")
        if target.evaluate("(one) => one === document.activeElement"):
            return

    pytest.fail(f"not reached by Tab: {target}")


def assert_redrawn(page: Page, figure: Locator, keys: list[str]) -> None:
    """Press the keys, and wait until the image is drawn in another way."""
    canvas = figure.get_by_role("img").first
    before = canvas.screenshot()
    for key in keys:
        page.keyboard.press(key)

    deadline = time.monotonic() + SECONDS
    while canvas.screenshot() == before:
        assert time.monotonic() < deadline, keys
