"""The views of the viewer, as Chromium draws them: pixels, heat and outlines in their places."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from service.rendering.colormap import Colormap, table
from tests.support.browser import Visit
from tests.support.made_exams import MadeHeat, MadeImage, Matrix, Served, made, show
from tests.support.viewer_canvas import (
    Colours,
    Point,
    centroid,
    double_click_at,
    pixels_of,
    plain_pixels,
    view,
)

pytestmark = pytest.mark.interop

ROWS, COLUMNS = 1664, 1280
PEAK = (737, 802)  # x, y: a pixel, and the centre of a cell of the heat
CELL = 5  # source pixels between the cells of the heat
REACH = 4  # cells from the peak to where its heat ends
BLOCK = 30  # from the peak to the four white blocks around it
OUTLINE = 12  # from the peak to the outline, a square
OPACITY = 0.6  # that the page starts with
SCALES = {0: "fit", 1: "1:1", 2: "8:1"}  # by double clicks

HANGINGS = {
    "right breast": ("R", ("P", "FL")),
    "left breast": ("L", ("A", "FR")),
    "right breast mirrored": ("R", ("A", "FR")),
    "left breast mirrored": ("L", ("P", "FL")),
}


@pytest.mark.parametrize("steps", SCALES, ids=SCALES.values())
@pytest.mark.parametrize("hanging", HANGINGS)
def test_hottest_spot_is_drawn_at_peak(
    viewer: Served, visit: Visit, hanging: str, steps: int
) -> None:
    show(visit.page, viewer, marked(hanging))
    visit.page.keyboard.press("l")  # no outlines
    enlarge(visit.page, steps)

    with_heat = pixels_of(view(visit.page))
    without_heat = plain_pixels(visit.page)

    peak = centroid(without_heat.mean(axis=2))
    assert hottest(with_heat - without_heat) == pytest.approx(peak, abs=1)


@pytest.mark.parametrize("hanging", HANGINGS)
def test_outline_goes_through_its_points(viewer: Served, visit: Visit, hanging: str) -> None:
    show(visit.page, viewer, marked(hanging))
    enlarge(visit.page, 2)

    outlined = pixels_of(view(visit.page))
    visit.page.keyboard.press("l")
    plain = pixels_of(view(visit.page))

    x, y = centroid(plain_pixels(visit.page).mean(axis=2))
    is_changed = np.abs(outlined - plain).sum(axis=2) > 100
    for right, down in [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1)]:
        column = round(x + 8 * OUTLINE * right - 0.5)
        row = round(y + 8 * OUTLINE * down - 0.5)
        assert is_changed[row, column]
        assert not is_changed[row - 5 * down, column - 5 * right]


def test_mirrored_file_has_chest_wall_in_middle(viewer: Served, visit: Visit) -> None:
    samples = np.zeros((ROWS, COLUMNS), np.uint16)
    samples[:, :40] = 255  # the chest wall lies at the left edge of the file

    show(visit.page, viewer, made(samples, side="R", orientation=("A", "FR")))

    grey = plain_pixels(visit.page)[..., 0]
    assert grey[400, -1] == 255
    assert grey[400, :-40].max() == 0
    expect(visit.page.get_by_role("img", name="shown mirrored")).to_be_visible()


@pytest.mark.parametrize("colormap", ["cividis", "inferno", "viridis", "gray"])
def test_cell_has_colour_of_map(viewer: Served, visit: Visit, colormap: str) -> None:
    strengths = np.array([[0, 13107, 26214], [39321, 52428, 65535]], np.uint16)
    samples = np.full((240, 180), 90, np.uint16)
    heat = MadeHeat(strengths, [[60, 0, 29.5], [0, 120, 59.5]], (149.5, 179.5))
    show(visit.page, viewer, made(samples, heat=heat, side="L"))
    visit.page.keyboard.press("l")
    visit.page.get_by_label("Colours").select_option(colormap)

    drawn = pixels_of(view(visit.page))

    scale = min(drawn.shape[0] / 240, drawn.shape[1] / 180)
    colours = table(Colormap(colormap)).astype(int)
    for row, column in np.ndindex(2, 3):
        at = drawn[int((120 * row + 60) * scale), int((60 * column + 30) * scale)]
        strength = round(float(strengths[row, column]) / 65535 * 255)
        alpha = strength / 255 * OPACITY
        assert at == pytest.approx(90 * (1 - alpha) + colours[strength] * alpha, abs=2)


def marked(hanging: str) -> MadeImage:
    """Return an image with a peak of heat amid four white blocks, and an outline around it."""
    x, y = PEAK
    samples = np.zeros((ROWS, COLUMNS), np.uint16)
    for right, down in [(1, 0), (-1, 0), (0, 1), (0, -1)]:
        column = x + BLOCK * right
        row = y + BLOCK * down
        samples[row - 3 : row + 4, column - 3 : column + 4] = 255

    size = 2 * REACH + 1
    distance = np.hypot(*(np.indices((size, size)) - REACH))
    strengths = np.rint((1 - distance / REACH).clip(0) * 65535).astype(np.uint16)
    side, orientation = HANGINGS[hanging]
    # The model sees a mirrored grid if the chest wall lies on the right of the file.
    step = CELL if orientation[0] == "A" else -CELL
    to_source: Matrix = [[step, 0, x - step * REACH], [0, CELL, y - CELL * REACH]]
    square = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    contour = [(x + OUTLINE * right, y + OUTLINE * down) for right, down in square]
    heat = MadeHeat(strengths, to_source, PEAK, regions=(contour,))
    return made(samples, heat=heat, side=side, orientation=orientation)


def enlarge(page: Page, steps: int) -> None:
    """Double click so many times on the middle of the white blocks."""
    for _ in range(steps):
        double_click_at(view(page), centroid(plain_pixels(page).mean(axis=2)))
    page.mouse.move(0, 0)


def hottest(change: Colours) -> Point:
    """Return the place (x, y) at which the heat changes the picture most."""
    amount = np.abs(change).sum(axis=2)
    return centroid((amount == amount.max()).astype(np.float64))
