"""The panel of the viewer: its parts, as a person knows them."""

from typing import Any

from playwright.sync_api import Locator, Page, expect

FAILED = {"code": "scorecard-failed", "message": "This model version failed its scorecard: auc."}


def section(page: Page, name: str) -> Locator:
    """Return the section of the panel with this heading."""
    return page.locator("#panel section").filter(has=page.get_by_role("heading", name=name))


def view(page: Page, label: str) -> Locator:
    """Return the canvas of an image."""
    return page.locator(".figures figure").filter(has_text=label).locator("canvas")


def choose(page: Page, label: str) -> None:
    """Make an image the current one."""
    section(page, "Decision").get_by_role("button", name=label).click()


def compare_with(page: Page, method: str) -> None:
    """Compare the current map with that of a method."""
    panel = section(page, "Method and layer")
    panel.get_by_role("combobox", name="Method").select_option(method)
    panel.get_by_role("button", name="Compare with this").click()
    expect(page.locator(".pair")).to_be_visible()


def show_maps(page: Page) -> Locator:
    """Show the maps of the default layer. Return their canvas."""
    page.get_by_text("Maps of a layer").click()
    page.get_by_role("button", name="Show the maps").click()
    maps = page.get_by_role("application")
    expect(maps).to_be_visible()
    return maps


def add_warning(exam: dict[str, Any], warning: dict[str, str]) -> None:
    """Give each image of an answer a warning."""
    for image in exam["images"]:
        image["warnings"].append(warning)
