"""Zoom, pan, cross-hair and ruler of the viewer, by pointer and by keys."""

import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import Visit
from tests.support.made_exams import MadeHeat, MadeImage, Served, made, show
from tests.support.viewer_canvas import centroid, pixels_of, plain_pixels, view

pytestmark = pytest.mark.interop

ROWS, COLUMNS = 960, 720
WHITE = (150, 480)  # x, y of the middle of a white block


def test_wheel_zooms_about_pointer(viewer: Served, visit: Visit) -> None:
    show(visit.page, viewer, blocked())
    enlarge(visit.page)
    x, y = white_place(visit.page)
    area = drawn_area(visit.page, 0)

    visit.page.mouse.move(*on_page(view(visit.page), x, y))
    visit.page.mouse.wheel(0, -100)
    visit.page.mouse.wheel(0, -100)

    assert white_place(visit.page) == pytest.approx((x, y), abs=1.5)
    assert drawn_area(visit.page, 0) > 2 * area


def test_drag_moves_enlarged_image(viewer: Served, visit: Visit) -> None:
    show(visit.page, viewer, blocked())
    enlarge(visit.page)
    x, y = white_place(visit.page)

    drag(visit.page, (500, 400), (560, 370))

    assert white_place(visit.page) == pytest.approx((x + 60, y - 30), abs=1)


def test_arrows_move_enlarged_image(viewer: Served, visit: Visit) -> None:
    show(visit.page, viewer, blocked())
    enlarge(visit.page)
    x, y = white_place(visit.page)

    visit.page.keyboard.press("ArrowRight")
    visit.page.keyboard.press("ArrowDown")

    assert white_place(visit.page) == pytest.approx((x - 40, y - 40), abs=1)


def test_linked_views_move_together(viewer: Served, visit: Visit) -> None:
    views = [("R", "CC"), ("L", "CC"), ("R", "MLO")]
    show(visit.page, viewer, *(blocked(side=side, view=name) for side, name in views))
    before = [drawn_area(visit.page, number) for number in range(3)]

    visit.page.keyboard.press("z")
    visit.page.keyboard.press("z")

    after = [drawn_area(visit.page, number) for number in range(3)]
    assert [one != other for one, other in zip(before, after, strict=True)] == [True, True, False]


def test_click_reads_value_out(viewer: Served, visit: Visit) -> None:
    show(visit.page, viewer, blocked())
    x, y = white_place(visit.page)

    view(visit.page).click(position={"x": x, "y": y})
    visit.page.mouse.move(0, 0)

    readout = visit.page.locator(".readout").first
    expect(readout).to_contain_text(re.compile(r"x (149|150|151), y (479|480|481) "))
    expect(readout).to_contain_text("(15.")  # 150.5 pixels of 0.1 mm from the left edge
    expect(readout).to_contain_text("value 255")


def test_keys_read_value_out(viewer: Served, visit: Visit) -> None:
    show(visit.page, viewer, blocked())

    visit.page.keyboard.press("c")  # at the peak, in the middle of the block
    readout = visit.page.locator(".readout").first
    expect(readout).to_contain_text("x 150, y 480 (15.1, 48.1 mm) · value 255")
    for _ in range(4):
        visit.page.keyboard.press("Shift+ArrowUp")

    expect(readout).to_contain_text("value 0")
    expect(readout).to_have_attribute("aria-live", "polite")


@pytest.mark.parametrize(
    ("spacing", "plane", "words"),
    [
        ((0.1, 0.2), "detector", r"ruler (19\.9|20\.0|20\.1) mm at the detector"),
        ((0.1, 0.2), "breast", r"ruler (19\.9|20\.0|20\.1) mm in the breast"),
        (None, None, r"ruler (99|100|101) pixels"),
    ],
)
def test_ruler_measures_along_a_row(
    viewer: Served,
    visit: Visit,
    spacing: tuple[float, float] | None,
    plane: str | None,
    words: str,
) -> None:
    show(visit.page, viewer, blocked(spacing_mm=spacing, plane=plane))
    visit.page.keyboard.press("z")  # 1:1
    visit.page.keyboard.press("r")

    drag(visit.page, (900, 400), (800, 400))

    expect(visit.page.locator(".readout").first).to_contain_text(re.compile(words))


def test_keys_measure_with_ruler(viewer: Served, visit: Visit) -> None:
    show(visit.page, viewer, blocked())
    visit.page.keyboard.press("z")  # 1:1
    visit.page.keyboard.press("r")
    visit.page.keyboard.press("c")

    for _ in range(5):
        visit.page.keyboard.press("ArrowDown")

    # Five steps of four pixels of 0.1 mm.
    expect(visit.page.locator(".readout").first).to_contain_text("ruler 2.0 mm")


def test_reset_returns_to_first_picture(viewer: Served, visit: Visit) -> None:
    show(visit.page, viewer, blocked())
    first = plain_pixels(visit.page)

    for key in ("z", "i", "c", "w", "ArrowRight", "0"):
        visit.page.keyboard.press(key)

    assert np.array_equal(plain_pixels(visit.page), first)


def blocked(**facts: Any) -> MadeImage:
    """Return a black image with a white block of 21 x 21 pixels at its peak."""
    samples = np.zeros((ROWS, COLUMNS), np.uint16)
    x, y = WHITE
    samples[y - 10 : y + 11, x - 10 : x + 11] = 255
    cold = MadeHeat(np.zeros((2, 2), np.uint16), [[1, 0, 0], [0, 1, 0]], WHITE)
    return made(samples, heat=cold, **facts)


def enlarge(page: Page) -> None:
    """Zoom until the image is larger than its canvas."""
    for key in ("z", "+", "+", "+"):
        page.keyboard.press(key)


def white_place(page: Page) -> tuple[float, float]:
    """Return the middle (x, y) of what is white in the first view."""
    return centroid(plain_pixels(page).mean(axis=2))


def drawn_area(page: Page, number: int) -> int:
    """Return the number of bright pixels of a view."""
    page.keyboard.press("h")
    pixels = pixels_of(view(page, number))
    page.keyboard.press("h")
    return int((pixels[..., 0] > 200).sum())


def on_page(canvas: Locator, x: float, y: float) -> tuple[float, float]:
    """Return the point of the page at a point of the canvas."""
    box = canvas.bounding_box()
    assert box is not None
    return box["x"] + x, box["y"] + y


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag with the mouse between two points of the page."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=5)
    page.mouse.up()
    page.mouse.move(0, 0)
