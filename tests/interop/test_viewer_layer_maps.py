"""The maps of a layer: their values and the cross-hair that they share with the views."""

import base64
import io
import re
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.support.paths import ROOT
from tests.support.viewer_panel import show_maps, view

pytestmark = pytest.mark.interop

FILE = ROOT / "docs" / "sample-exam" / "R-CC.dcm"


@pytest.fixture(scope="module")
def activations(demo_address: str) -> dict[str, Any]:
    """The answer of the service about the layer."""
    files = {"file": FILE.read_bytes()}
    url = f"{demo_address}/activations/conv2d_2?scale=filter"
    return dict(httpx.post(url, files=files, timeout=60).json())


def test_value_is_that_of_cell(page: Page, activations: dict[str, Any]) -> None:
    maps = show_maps(page)
    maps.focus()
    maps.press("PageDown")

    maps.press("ArrowRight")  # from the middle of 15 x 22 cells: column 7, row 11

    words = facts(page)
    shown = re.search(r"Filter 1: ([\d.e-]+) at column 8, row 11", words)
    assert shown is not None, words
    assert float(shown[1]) == pytest.approx(value_at(activations, 1, 8, 11), rel=0.005)


def test_cell_is_shown_in_view(page: Page, activations: dict[str, Any]) -> None:
    maps = show_maps(page)
    maps.focus()

    maps.press("ArrowUp")

    (a, _, c), (_, e, f) = activations["cell_to_source"]
    place = f"x {7 * a + c:.0f}, y {10 * e + f:.0f}"
    expect(readout(page)).to_contain_text(place)


def test_pointer_over_map_moves_crosshair(page: Page, activations: dict[str, Any]) -> None:
    maps = show_maps(page)
    box = maps.bounding_box()
    assert box is not None
    width = (box["width"] - 2 * 7) / 8  # eight maps in a row, with gaps of 2 pixels
    height = width * 22 / 15

    # The middle of the cell at column 3, row 5 of the second map in the second row.
    x = (width + 2) + width * 3.5 / 15
    y = (height + 2) + height * 5.5 / 22
    maps.hover(position={"x": x, "y": y})

    assert "at column 3, row 5" in facts(page)
    (a, _, c), (_, e, f) = activations["cell_to_source"]
    expect(readout(page)).to_contain_text(f"x {3 * a + c:.0f}, y {5 * e + f:.0f}")


def test_point_in_view_is_shown_in_maps(page: Page, activations: dict[str, Any]) -> None:
    show_maps(page)
    canvas = view(page, "R CC")
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": 0.8 * box["width"], "y": 0.5 * box["height"]})

    shown = re.search(r"at column (\d+), row (\d+)", facts(page))
    place = re.search(r"x (\d+), y (\d+)", readout(page).text_content() or "")

    assert shown is not None
    assert place is not None
    (a, _, c), (_, e, f) = activations["cell_to_source"]
    assert int(shown[1]) == round((int(place[1]) - c) / a)
    assert int(shown[2]) == round((int(place[2]) - f) / e)


def test_own_scale_brightens_faint_filter(page: Page) -> None:
    maps = show_maps(page)
    before = brightness(maps)

    page.get_by_role("checkbox", name="Own scale for each filter").check()

    assert brightness(maps) > before


def test_layer_says_how_to_read_it(page: Page) -> None:
    page.get_by_text("Maps of a layer").click()
    layer = page.locator(".layers").get_by_role("combobox", name="Layer")
    layer.select_option("conv2d")

    page.get_by_role("button", name="Show the maps").click()

    expect(page.locator(".layers")).to_contain_text("The breast outline should be visible.")


def brightness(canvas: Locator) -> float:
    """Return the mean grey of a canvas as it is seen."""
    with Image.open(io.BytesIO(canvas.screenshot())) as image:
        return float(np.asarray(image.convert("L")).mean())


def value_at(activations: dict[str, Any], index: int, column: int, row: int) -> float:
    """Return the value of a cell, from the PNG of its filter."""
    picture = activations["filters"][index]
    with Image.open(io.BytesIO(base64.b64decode(picture["png"]))) as image:
        grey = image.getpixel((column, row))
    assert isinstance(grey, int)
    return float(picture["black"] + grey / 255 * (picture["white"] - picture["black"]))


def facts(page: Page) -> str:
    """Return what is said about the cell, once one is pointed at."""
    output = page.locator(".layers output")
    expect(output).to_contain_text("at column")
    return output.text_content() or ""


def readout(page: Page) -> Locator:
    """Return what the view says about the point."""
    return page.locator(".figures figure").filter(has_text="R CC").locator(".readout")
