"""Questions in the viewer that change while the service is at work."""

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.support.viewer_page import SAMPLE_FILES, choose_files, wait_for_scores
from tests.support.viewer_panel import section

pytestmark = pytest.mark.interop


def test_question_taken_back_is_not_shown(page: Page) -> None:
    held = hold(page, "layer-cam")
    before = figure(page).text_content() or ""
    ask(page, "layer-cam")
    explain(page, "grad-cam")

    with page.expect_response("**/exam/pixels?*"):
        held[0].continue_()

    expect(page.locator(".progress")).to_be_hidden()
    expect(figure(page)).to_have_text(before)


def test_question_put_twice_is_asked_once(page: Page) -> None:
    held = hold(page, "layer-cam")
    before = figure(page).text_content() or ""
    ask(page, "layer-cam")
    explain(page, "layer-cam")

    held[0].continue_()

    expect(figure(page)).not_to_have_text(before)
    assert len(held) == 1


def test_files_that_gave_way_can_be_asked_again(page: Page) -> None:
    hold(page, "grad-cam")
    choose_files(page, SAMPLE_FILES[:1])
    expect(page.get_by_text("Reading one file")).to_be_visible()
    explain(page, "layer-cam")

    page.get_by_role("button", name="Ask again").click()

    wait_for_scores(page, 1)


def hold(page: Page, method: str) -> list[Route]:
    """Hold the requests for maps of a method. Return them, as they come."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    page.route(f"**/exam/pixels?*method={method}", keep)
    return held


def ask(page: Page, method: str) -> None:
    """Ask for the maps of a method, and wait until the request is under way."""
    with page.expect_request("**/exam/pixels?*"):
        explain(page, method)


def explain(page: Page, method: str) -> None:
    """Ask for the maps of a method, and do not wait."""
    panel = section(page, "Method and layer")
    panel.get_by_role("combobox", name="Method").select_option(method)
    panel.get_by_role("button", name="Explain with this").click()


def figure(page: Page) -> Locator:
    """Return a figure of the current map that differs between methods."""
    return page.locator(".figure[data-name=lift] .share")
