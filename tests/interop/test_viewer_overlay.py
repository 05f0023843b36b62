"""The heat in the viewer: beside the service's own picture, and hidden where it must be."""

from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.browser import Visit
from tests.support.made_exams import MadeHeat, Served, made, show
from tests.support.paths import SAMPLE
from tests.support.viewer_canvas import Colours, double_click_at, pixels_of, view
from tests.support.viewer_page import choose_files

pytestmark = pytest.mark.interop

HEAT = MadeHeat(np.full((2, 2), 65535, np.uint16), [[20, 0, 9.5], [0, 20, 9.5]], (9.5, 9.5))
SAMPLES = np.full((40, 40), 90, np.uint16)


@pytest.mark.parametrize("colormap", ["cividis", "inferno"])
def test_picture_equals_overlay_of_service(demo_address: str, visit: Visit, colormap: str) -> None:
    page = visit.page
    open_file(page, demo_address, SAMPLE)
    page.get_by_label("Colours").select_option(colormap)
    page.keyboard.press("l")  # no outlines
    height, width = pixels_of(view(page)).shape[:2]
    double_click_at(view(page), (width / 2, height / 2))  # 1:1

    drawn = pixels_of(view(page))

    # A right breast lies at the right edge. The middle of its height is in the middle.
    overlay = overlay_of_service(demo_address, colormap)
    top = (overlay.shape[0] - height) // 2
    expected = overlay[top : top + height]
    shown = drawn[:, width - overlay.shape[1] :]
    assert np.abs(shown - expected).max() <= 2
    assert np.abs(shown - expected).mean() < 0.3
    assert np.ptp(expected, axis=2).max() > 50  # there is heat
    visit.assert_quiet(demo_address)


def test_negative_image_has_heat_on_request(viewer: Served, visit: Visit) -> None:
    show(visit.page, viewer, made(SAMPLES, heat=HEAT, positive=False))
    before = pixels_of(view(visit.page))

    visit.page.keyboard.press("d")

    assert not has_colour(before)
    assert has_colour(pixels_of(view(visit.page)))


def test_warning_covers_heat_until_acknowledged(viewer: Served, visit: Visit) -> None:
    show(visit.page, viewer, made(SAMPLES, heat=HEAT, warnings=("out-of-domain",)))
    expect(visit.page.get_by_role("img", name="heat covered")).to_be_visible()
    before = pixels_of(view(visit.page))

    visit.page.get_by_role("button", name="Show heat anyway").click()

    assert not has_colour(before)
    assert has_colour(pixels_of(view(visit.page)))


def test_blank_map_draws_nothing(viewer: Served, visit: Visit) -> None:
    show(visit.page, viewer, made(SAMPLES, heat=HEAT, state="all_negative"))

    assert not has_colour(pixels_of(view(visit.page)))


def test_level_hides_heat_below_it(viewer: Served, visit: Visit) -> None:
    strengths = np.array([[19661, 45875]] * 2, np.uint16)  # 0.3 and 0.7 of full strength
    heat = MadeHeat(strengths, [[20, 0, 9.5], [0, 20, 9.5]], (29.5, 9.5))
    show(visit.page, viewer, made(SAMPLES, heat=heat, side="L"))
    visit.page.keyboard.press("l")

    visit.page.get_by_label("Hide heat below").fill("0.5")

    drawn = pixels_of(view(visit.page))
    scale = drawn.shape[0] / 40
    left, right = (drawn[drawn.shape[0] // 2, int(x * scale)] for x in (9, 31))
    assert np.ptp(left) == 0
    assert np.ptp(right) > 20


def test_one_scale_for_views_is_the_greatest(viewer: Served, visit: Visit) -> None:
    weak = MadeHeat(HEAT.samples, HEAT.to_source, HEAT.peak, maximum=0.25, full_value=0.25)
    strong = MadeHeat(HEAT.samples, HEAT.to_source, HEAT.peak, maximum=0.5, full_value=0.5)
    images = [made(SAMPLES, heat=weak, side="R"), made(SAMPLES, heat=strong, side="L")]
    show(visit.page, viewer, *images)
    visit.page.keyboard.press("l")

    visit.page.get_by_label("Full strength").select_option("exam")

    # Heat at half of the common full value covers half of what 60 % cover.
    colours = [np.ptp(middle(pixels_of(view(visit.page, number)))) for number in (0, 1)]
    assert colours[0] < 0.6 * colours[1]


def test_canvas_is_named_in_words(viewer: Served, visit: Visit) -> None:
    show(visit.page, viewer, made(SAMPLES, heat=HEAT))

    visit.page.keyboard.press("h")

    name = "right CC, probability of cancer 99.8 %, positive, 0 regions, heat switched off"
    expect(visit.page.get_by_role("img", name=name)).to_be_visible()


def open_file(page: Page, address: str, path: Path) -> None:
    """Open the viewer with one file."""
    page.goto(f"{address}/viewer")
    choose_files(page, [path])
    expect(page.get_by_role("img", name="heat shown")).to_be_visible()


def overlay_of_service(address: str, colormap: str) -> Colours:
    """Return the colours of the service's own picture of the sample, at the file's size."""
    style = f"render=overlay&size=source&colormap={colormap}&opacity=0.6"
    files = {"file": SAMPLE.read_bytes()}
    response = httpx.post(f"{address}/gradcam.png?{style}", files=files, timeout=60)
    picture = Image.open(BytesIO(response.raise_for_status().content))
    return np.asarray(picture.convert("RGB"), np.int64)


def has_colour(drawn: Colours) -> bool:
    """Return whether a pixel is not grey, apart from the outlines."""
    return bool(np.ptp(drawn, axis=2).max() > 20)


def middle(drawn: Colours) -> Colours:
    """Return the colour in the middle of a canvas."""
    return np.asarray(drawn[drawn.shape[0] // 2, drawn.shape[1] // 2])
