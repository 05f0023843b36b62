"""Layers and heat on the page about the model, and who can use it."""

import base64
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from service.access import AccessScope, add_key
from tests.support.browser import Visit, accessibility_faults, visiting
from tests.support.model_page import CURVES, answer_with, open_page, show_pictures
from tests.support.paths import ROOT
from tests.support.servers import running

pytestmark = pytest.mark.interop


def maps_of_sample(page: Page, address: str) -> dict[str, Any]:
    """Return the answer about the deep layer on the view that the page shows."""
    file = ROOT / "docs" / "sample-exam" / "R-CC.dcm"
    headers = {"Content-Type": "application/dicom"}
    url = f"{address}/activations/conv2d_2"
    answer = page.request.post(url, data=file.read_bytes(), headers=headers).json()
    return dict(answer)


def canvas_pixels(canvas: Locator) -> NDArray[np.uint8]:
    """Return the pixels of a canvas, RGBA."""
    width, height, content = canvas.evaluate(
        """canvas => [canvas.width, canvas.height, [...canvas.getContext("2d")
          .getImageData(0, 0, canvas.width, canvas.height).data]]"""
    )
    return np.array(content, np.uint8).reshape(height, width, 4)


def test_layers_show_strongest_filters(demo_address: str, visit: Visit) -> None:
    answer = maps_of_sample(visit.page, demo_address)
    filters = sorted(answer["filters"], key=lambda one: -one["maximum"])

    open_page(visit.page, demo_address)
    show_pictures(visit.page)

    stages = visit.page.locator("#layers .stage")
    titles = ["Early: conv2d", "Middle: conv2d_1", "Deep: conv2d_2"]
    expect(stages.locator("h3")).to_have_text(titles)
    names = [re.compile(rf"^filter {one['index']},") for one in filters[:6]]
    expect(stages.last.locator(".maps figcaption")).to_have_text(names)
    scale = f"black is 0, white is {filters[0]['white']:.3g}."
    expect(stages.last.locator(".quiet")).to_contain_text(scale)
    visit.assert_quiet(demo_address)


def test_square_of_cell_is_drawn_to_scale(demo_address: str, visit: Visit) -> None:
    open_page(visit.page, demo_address)
    show_pictures(visit.page)

    # 61 of the 192 columns of the model's input are 76 of the 240 columns of the picture. The row
    # 31 above the middle lies between this square and the dashed one, of 39 x 35.
    canvas = visit.page.locator("#layers .stage").last.locator(".field canvas")
    white = canvas_pixels(canvas)[..., 0] > 200
    edges = np.flatnonzero(white.sum(axis=1) > 60)
    columns = np.flatnonzero(white[round(edges[[0, -1]].mean()) - 31])
    assert edges[-1] - edges[0] == pytest.approx(76, abs=2)
    assert columns[-1] - columns[0] == pytest.approx(76, abs=2)


def test_view_ends_at_chest_wall(demo_address: str, visit: Visit) -> None:
    open_page(visit.page, demo_address)
    show_pictures(visit.page)

    for view in visit.page.locator("#layers .field canvas").all():
        # The model sees the breast up to the edge of the image, and nothing beyond.
        assert canvas_pixels(view)[160, [0, -1], 3].tolist() == [255, 255]


def test_cells_of_map_lie_at_their_places(demo_address: str, visit: Visit) -> None:
    answer = maps_of_sample(visit.page, demo_address)
    strongest = max(answer["filters"], key=lambda one: one["maximum"])
    with Image.open(io.BytesIO(base64.b64decode(strongest["png"]))) as picture:
        cells = np.asarray(picture)
    # The cells are 9 of the model's pixels apart, and 192 of these end at the image's edge, 640.
    # Above the centre of the first row of cells there are 30.5 of them.
    (a, _, c), (_, e, _) = answer["cell_to_source"]
    zoom = 240 / (192 * a / 9)
    rows, columns = np.indices(cells.shape)
    x = (a * columns + c + 0.5 - (640 - 192 * a / 9)) * zoom
    y = (e * rows + 30.5 * e / 9) * zoom

    open_page(visit.page, demo_address)
    show_pictures(visit.page)

    shown = canvas_pixels(visit.page.locator("#layers .stage").last.locator(".maps canvas").first)
    grey = shown[y.astype(int), x.astype(int), 0].astype(int)
    # A ring lies over a few cells.
    assert np.mean(np.abs(grey - cells) <= 1) > 0.97


def test_heat_of_negative_views_is_labelled(demo_address: str, visit: Visit) -> None:
    open_page(visit.page, demo_address)
    show_pictures(visit.page)

    rows = visit.page.locator("#heat .row")
    titles = ["Without heat", "Grad-CAM", "LayerCAM", "LayerCAM at the finer layer conv2d_1"]
    expect(rows.locator("h3")).to_have_text(titles)
    for index in range(1, len(titles)):
        captions = rows.nth(index).locator("figcaption")
        negative = captions.filter(has_text="○ negative")
        expect(negative.filter(has_text="decided negative: heat here is no finding")).to_have_count(
            2
        )
        expect(captions.filter(has_text="▲ positive")).to_have_count(2)


def test_sample_is_asked_only_when_seen(fake_address: str, visit: Visit) -> None:
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))

    open_page(visit.page, fake_address)
    before = [url for url in asked if url.endswith(".dcm") or "/exam/" in url]
    visit.page.locator("#layers").scroll_into_view_if_needed()

    expect(visit.page.locator("#layers canvas").first).to_be_visible()
    assert before == []
    assert any("exam/pixels?heat=all&size=512" in url for url in asked)


def test_failed_pictures_can_be_asked_again(fake_address: str, visit: Visit) -> None:
    problem = {"type": "urn:mammolens:draining", "title": "Shutting down", "status": 503}
    visit.page.route("**/exam/pixels*", lambda route: route.fulfill(status=503, json=problem))
    open_page(visit.page, fake_address)
    visit.page.locator("#layers").scroll_into_view_if_needed()
    expect(visit.page.locator("#layers")).to_contain_text("Shutting down.")

    visit.page.unroute("**/exam/pixels*")
    visit.page.get_by_role("button", name="Show the maps").click()

    expect(visit.page.locator("#layers canvas").first).to_be_visible()
    visit.assert_quiet(fake_address, expected="status of 503")


def test_key_opens_facts_and_pictures(visit: Visit, tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    key = add_key(keys, "reader", [AccessScope.EXPLAIN])

    with running(MAMMOLENS_KEYS=str(keys)) as server:
        visit.page.goto(f"{server.address}/viewer/model")
        visit.page.get_by_label("API key or access token").fill(key)
        visit.page.keyboard.press("Enter")

        expect(visit.page.locator("h1")).to_have_text("Model fake, version 1")
        visit.page.locator("#layers").scroll_into_view_if_needed()
        expect(visit.page.locator("#layers canvas").first).to_be_visible()
        visit.assert_quiet(server.address, expected="status of 401")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_page_breaks_no_rule_of_accessibility(
    demo_address: str, browser: Browser, scheme: str
) -> None:
    with visiting(browser, color_scheme=scheme, bypass_csp=True) as visit:
        answer_with(visit.page, f"{demo_address}/model/curves", CURVES)
        open_page(visit.page, demo_address)
        show_pictures(visit.page)
        for summary in visit.page.locator("summary").all():
            summary.click()

        assert accessibility_faults(visit.page) == ""


@pytest.mark.parametrize(("width", "text"), [(390, "100%"), (1280, "200%")])
def test_page_never_scrolls_sideways(
    demo_address: str, browser: Browser, width: int, text: str
) -> None:
    viewport = {"width": width, "height": 900}
    with visiting(browser, viewport=viewport, bypass_csp=True) as visit:
        answer_with(visit.page, f"{demo_address}/model/curves", CURVES)
        open_page(visit.page, demo_address)
        visit.page.add_style_tag(content=f"html {{ font-size: {text} }}")
        show_pictures(visit.page)
        for summary in visit.page.locator("summary").all():
            summary.click()

        assert visit.page.evaluate("document.documentElement.scrollWidth") == width


def test_first_key_leads_to_content(fake_address: str, visit: Visit) -> None:
    open_page(visit.page, fake_address)

    visit.page.keyboard.press("Tab")

    expect(visit.page.locator(".skip")).to_be_focused()
    expect(visit.page.locator(".skip")).to_have_attribute("href", "#content")
