"""The grey values that the viewer shows, held against the formulas of PS3.3 C.11.2 in numpy."""

import base64
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.browser import Visit
from tests.support.made_exams import Served, made, show
from tests.support.viewer_canvas import Colours, pixels_of, plain_pixels, view

pytestmark = pytest.mark.interop

Unit = NDArray[np.floating[Any]]

SHAPE = (48, 64)
SAMPLES = np.linspace(0, 65535, 48 * 64).round().astype(np.uint16).reshape(SHAPE)
CENTER, WIDTH = 31000.0, 24001.0
SLOPE, INTERCEPT = 1.5, -9000.0
FIRST = 12000  # value of the first entry of the table
ENTRIES = (4095 * np.linspace(0, 1, 30000) ** 2).round().astype("<u2")


def linear(values: Unit) -> Unit:
    low = CENTER - 0.5 - (WIDTH - 1) / 2
    high = CENTER - 0.5 + (WIDTH - 1) / 2
    ramp = (values - (CENTER - 0.5)) / (WIDTH - 1) + 0.5
    return np.where(values <= low, 0, np.where(values > high, 1, ramp))


def linear_exact(values: Unit) -> Unit:
    low = CENTER - WIDTH / 2
    high = CENTER + WIDTH / 2
    unit = np.where(values <= low, 0, np.where(values > high, 1, (values - low) / WIDTH))
    return np.asarray(unit)


def sigmoid(values: Unit) -> Unit:
    return np.asarray(1 / (1 + np.exp(-4 * (values - CENTER) / WIDTH)))


def from_table(values: Unit) -> Unit:
    index = np.rint(values).astype(int) - FIRST
    return np.asarray(ENTRIES[index.clip(0, len(ENTRIES) - 1)] / 4095)


FUNCTIONS = {
    "LINEAR": linear,
    "LINEAR_EXACT": linear_exact,
    "SIGMOID": sigmoid,
    "TABLE": from_table,
}


@pytest.mark.parametrize("inverted", [False, True], ids=["MONOCHROME2", "MONOCHROME1"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_grey_equals_formula(
    viewer: Served, visit: Visit, function: str, *, inverted: bool
) -> None:
    calibration = {"slope": SLOPE, "intercept": INTERCEPT, "inverted": inverted}
    show(visit.page, viewer, made(SAMPLES, presets=(preset(function),), side="L", **calibration))

    unit = FUNCTIONS[function](SLOPE * SAMPLES + INTERCEPT)
    expected = 255 * (1 - unit if inverted else unit)
    assert np.abs(at_centres(plain_pixels(visit.page)) - expected).max() <= 0.51


@pytest.mark.parametrize(
    ("function", "greys"),
    [
        # (v - 9.5) / 4 + 0.5 and (v - 7.5) / 5, of 255, for the values 7 to 13
        ("LINEAR", [0, 31.9, 95.6, 159.4, 223.1, 255, 255]),
        ("LINEAR_EXACT", [0, 25.5, 76.5, 127.5, 178.5, 229.5, 255]),
    ],
)
def test_narrow_window_shows_worked_greys(
    viewer: Served, visit: Visit, function: str, greys: list[float]
) -> None:
    samples = (7 + np.arange(48 * 64) % 7).astype(np.uint16).reshape(SHAPE)
    window = {**preset(function), "center": 10.0, "width": 5.0}
    show(visit.page, viewer, made(samples, presets=(window,), side="L"))

    drawn = at_centres(plain_pixels(visit.page))
    assert np.abs(drawn - np.array(greys)[samples - 7]).max() <= 0.61


def test_padding_stays_black_when_inverted(viewer: Served, visit: Visit) -> None:
    image = made(SAMPLES, presets=(preset("LINEAR"),), padding=(0, 9999), side="L")
    show(visit.page, viewer, image)

    visit.page.keyboard.press("i")

    grey = at_centres(plain_pixels(visit.page))
    assert grey[SAMPLES < 10000].max() == 0
    assert grey[(SAMPLES > 10000) & (SAMPLES < 15000)].min() == 255


def test_presets_of_file_follow_one_another(viewer: Served, visit: Visit) -> None:
    presets = (preset("LINEAR"), preset("SIGMOID"), preset("TABLE"))
    show(visit.page, viewer, made(SAMPLES, presets=presets, side="L"))

    greys = []
    for _ in range(4):
        greys.append(at_centres(plain_pixels(visit.page)))
        visit.page.keyboard.press("v")

    values = SAMPLES.astype(float)
    for grey, unit in zip(greys, (linear, sigmoid, from_table, linear), strict=True):
        assert np.abs(grey - 255 * unit(values)).max() <= 0.51


def test_reduced_picture_averages_greys(viewer: Served, visit: Visit) -> None:
    checks = np.indices((1664, 1280)).sum(axis=0) % 2 * np.uint16(65535)
    window = {"name": None, "function": "LINEAR_EXACT", "center": 20000.0, "width": 100.0}
    show(visit.page, viewer, made(checks.astype(np.uint16), presets=(window,), side="L"))

    # Half of the pixels are black, half are white. The mean of their samples would be white.
    assert plain_pixels(visit.page)[300:400, 100:200].mean() == pytest.approx(127.5, abs=1)


def test_dragging_widens_and_brightens_window(viewer: Served, visit: Visit) -> None:
    show(visit.page, viewer, made(SAMPLES, presets=(preset("LINEAR"),), side="L"))
    visit.page.keyboard.press("w")
    mouse = visit.page.mouse

    mouse.move(300, 400)
    mouse.down()
    mouse.move(400, 380, steps=4)
    mouse.up()

    # A drag of 100 pixels to the right makes the window wider by the factor e ** (100 / 200). One
    # of 20 pixels upwards lowers the centre by 20 / 200 of the width.
    width = WIDTH * np.exp(0.5)
    center = CENTER - 0.1 * WIDTH
    ramp = (SAMPLES - (center - 0.5)) / (width - 1) + 0.5
    grey = at_centres(pixels_of(view(visit.page)))
    assert np.abs(grey - 255 * ramp.clip(0, 1)).max() <= 0.51


def preset(function: str) -> dict[str, Any]:
    """Return a preset as the answer has it."""
    if function != "TABLE":
        return {"name": None, "function": function, "center": CENTER, "width": WIDTH, "table": None}

    entries = base64.b64encode(ENTRIES.tobytes()).decode()
    lut = {"first": FIRST, "maximum": 4095, "entries": entries}
    return {"name": None, "function": function, "center": None, "width": None, "table": lut}


def at_centres(drawn: Colours) -> Colours:
    """Return the grey at the centre of each source pixel of a left breast that is shown whole."""
    height, width = drawn.shape[:2]
    scale = min(height / SHAPE[0], width / SHAPE[1])
    top = (height - SHAPE[0] * scale) / 2
    rows = (top + (np.arange(SHAPE[0]) + 0.5) * scale).astype(int)
    columns = ((np.arange(SHAPE[1]) + 0.5) * scale).astype(int)
    return np.asarray(drawn[np.ix_(rows, columns)].max(axis=2))
