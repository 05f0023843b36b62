"""The pages for browsers in Chromium, which reaches this machine alone."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Visit
from tests.support.paths import SAMPLE
from tests.support.servers import running

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running() as started:
        yield started.address


def test_documentation_shows_answered_picture(server: str, visit: Visit) -> None:
    visit.page.goto(f"{server}/docs")
    gradcam = visit.page.locator('.opblock:has([data-path="/gradcam.png"])')

    gradcam.locator(".opblock-summary-control").click()
    gradcam.locator(".try-out__btn").click()
    gradcam.locator("input[type=file]").set_input_files(SAMPLE)
    gradcam.locator(".execute").click()

    picture = gradcam.locator(".live-responses-table img")
    expect(picture).to_have_js_property("complete", value=True)
    expect(picture).not_to_have_js_property("naturalWidth", value=0)
    expect(picture).to_have_attribute("src", re.compile("^blob:"))
    visit.assert_quiet(server)


def test_documentation_lists_every_route(server: str, visit: Visit) -> None:
    visit.page.goto(f"{server}/docs")

    expect_documentation(visit.page)
    visit.assert_quiet(server)


def test_reference_is_rendered_without_internet(server: str, visit: Visit) -> None:
    visit.page.goto(f"{server}/redoc")

    expect(visit.page.locator("[data-section-id*=operation]").nth(9)).to_be_attached()
    expect(visit.page.locator("h1").first).to_have_text(re.compile("^mammolens"))
    visit.assert_quiet(server)


def test_front_page_leads_to_documentation(server: str, visit: Visit) -> None:
    visit.page.goto(f"{server}/")

    expect(visit.page.locator(".state")).to_have_class("state ready")
    expect(visit.page.locator("header img")).not_to_have_js_property("naturalWidth", value=0)

    visit.page.locator('a[href="docs"]').click()
    expect_documentation(visit.page)
    visit.assert_quiet(server)


def expect_documentation(page: Page) -> None:
    """Wait until the page lists at least ten routes."""
    expect(page.locator(".opblock").nth(9)).to_be_visible()
