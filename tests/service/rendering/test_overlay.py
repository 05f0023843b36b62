import math
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from service.geometry import Affine
from service.records import Box, DrawnHeat
from service.rendering import Colormap, FramedPicture, Style, heat_alone, overlay
from service.rendering.colormap import table
from service.rendering.overlay import lay

ROWS = 300
COLUMNS = 200
WHOLE = Box(0, 0, COLUMNS, ROWS)
GREY = 117
FLAT = np.full((ROWS, COLUMNS), GREY, np.uint8)


def hot_pixel(
    row: int, column: int, to_source: Affine, shape: tuple[int, int] = (6, 5), box: Box = WHOLE
) -> DrawnHeat:
    values = np.zeros(shape, np.float32)
    values[row, column] = 4.2
    return DrawnHeat(values, to_source, box, 4.2)


def opened(picture: FramedPicture) -> Image.Image:
    image = Image.open(BytesIO(picture.content))
    image.load()
    assert image.format == "PNG"
    assert image.size == (picture.width, picture.height)
    return image


def alpha(picture: FramedPicture) -> NDArray[np.uint8]:
    return np.asarray(opened(picture).convert("RGBA"))[..., 3]


@pytest.mark.parametrize("flip", [1, -1])
@pytest.mark.parametrize("long_edge", [math.inf, 300, 150, 75])
def test_hottest_pixel_lies_on_peak(flip: int, long_edge: float) -> None:
    """They agree in source pixels, to one pixel of the picture."""
    to_source = Affine(flip * 35.0, 100 - flip * 70.0, 45.0, 30.0)
    style = Style(Colormap.INFERNO, 1.0, long_edge)

    picture = heat_alone((ROWS, COLUMNS), hot_pixel(2, 1, to_source), style, {})

    strength = alpha(picture).astype(float)
    rows, columns = np.nonzero(strength == strength.max())
    x, y = picture.to_source.apply(float(columns.mean()), float(rows.mean()))
    peak_x, peak_y = to_source.apply(1, 2)
    pixel = picture.to_source.scale_x
    assert abs(x - peak_x) <= pixel
    assert abs(y - peak_y) <= pixel


@pytest.mark.parametrize("reduction", [1, 4])
def test_drawn_heat_is_resampled_bilinearly(reduction: int) -> None:
    """It is evaluated at the centres of the picture's pixels, to a 32nd of a drawn pixel."""
    values = np.random.default_rng(1).random((6, 5)).astype(np.float32)
    heat = DrawnHeat(values, Affine(40.0, 19.5, 50.0, 24.5), WHOLE, float(values.max()))
    shape = (ROWS // reduction, COLUMNS // reduction)

    laid = lay(heat, (ROWS, COLUMNS), shape)

    x = ((np.arange(shape[1]) + 0.5) * reduction - 0.5 - 19.5) / 40
    y = ((np.arange(shape[0]) + 0.5) * reduction - 0.5 - 24.5) / 50
    rows = np.stack([np.interp(x, np.arange(5), row) for row in values])
    grid = np.stack([np.interp(y, np.arange(6), column) for column in rows.T], axis=1)
    np.testing.assert_allclose(laid, grid / values.max(), atol=1 / 32)


def test_there_is_no_heat_outside_box() -> None:
    box = Box(50, 60, 120, 200)
    heat = DrawnHeat(np.ones((6, 5), np.float32), Affine(14, 56.5, 23.3, 71.2), box, 1.0)

    laid = lay(heat, (ROWS, COLUMNS), (ROWS, COLUMNS))

    expected = np.zeros((ROWS, COLUMNS))
    expected[60:200, 50:120] = 1
    np.testing.assert_array_equal(laid, expected)


def test_reduced_picture_has_heat_at_centres_in_box() -> None:
    # Reduced by 4, the picture's pixels are centred on 1.5, 5.5, 9.5, ... and the box spans 5.5 up
    # to 9.5.
    heat = DrawnHeat(np.ones((6, 5), np.float32), Affine(1, 6, 1, 6), Box(6, 6, 10, 10), 1.0)

    laid = lay(heat, (40, 40), (10, 10))

    np.testing.assert_array_equal(np.argwhere(laid), [[1, 1]])


def test_box_between_pixels_of_picture_is_left_out() -> None:
    # Reduced by 10, the picture's pixels are centred on 4.5, 14.5, ...
    heat = DrawnHeat(np.ones((2, 2), np.float32), Affine(1, 6, 1, 6), Box(6, 6, 9, 9), 1.0)

    assert not lay(heat, (40, 40), (4, 4)).any()


def test_mammogram_without_heat_is_unchanged() -> None:
    style = Style(Colormap.INFERNO, 1.0, math.inf)
    heat = hot_pixel(0, 0, Affine(10, 10, 10, 10))

    picture = overlay(FLAT, FLAT.shape, heat, style, {})

    pixels = np.asarray(opened(picture))
    np.testing.assert_array_equal(pixels[100:, 100:], np.full((200, 100, 3), GREY))
    # The hottest cell has the hot end of inferno.
    np.testing.assert_allclose(pixels[10, 10], [252, 255, 164], atol=1)


def test_opacity_zero_shows_mammogram_alone() -> None:
    style = Style(Colormap.INFERNO, 0.0, math.inf)
    heat = hot_pixel(0, 0, Affine(10, 10, 10, 10))

    picture = overlay(FLAT, FLAT.shape, heat, style, {})

    np.testing.assert_array_equal(np.asarray(opened(picture)), np.full((ROWS, COLUMNS, 3), GREY))


def test_heat_alone_is_indexed_with_transparency() -> None:
    """Cold pixels are transparent."""
    heat = hot_pixel(2, 2, Affine(40, 20, 50, 25))
    style = Style(Colormap.TURBO, 0.5, math.inf)

    picture = heat_alone((ROWS, COLUMNS), heat, style, {})

    assert opened(picture).mode == "P"
    strength = alpha(picture)
    assert strength[-1, -1] == 0
    assert strength.max() == 128


def test_blank_map_is_transparent() -> None:
    blank = DrawnHeat(np.zeros((6, 5), np.float32), Affine(), WHOLE, 0.0)
    style = Style(Colormap.JET, 1.0, 64)

    picture = heat_alone((ROWS, COLUMNS), blank, style, {})

    assert not alpha(picture).any()


def test_picture_keeps_provenance_in_text_chunks() -> None:
    style = Style(Colormap.GRAY, 1.0, 64)
    heat = hot_pixel(0, 0, Affine())
    text = {"Software": "model demo/1"}

    picture = heat_alone((ROWS, COLUMNS), heat, style, text)

    assert opened(picture).info["Software"] == "model demo/1"


@pytest.mark.parametrize(("full_value", "index"), [(16.8, 64), (4.2, 255), (2.1, 255)])
def test_heat_is_drawn_relative_to_full_value(full_value: float, index: int) -> None:
    """A peak of a quarter looks weak, and one of twice the full value saturates."""
    heat = replace(hot_pixel(2, 2, Affine(40, 20, 50, 25)), full_value=full_value)
    style = Style(Colormap.INFERNO, 1.0, math.inf)

    alone = np.asarray(opened(heat_alone((ROWS, COLUMNS), heat, style, {})))
    over = np.asarray(opened(overlay(FLAT, FLAT.shape, heat, style, {})))

    # The pixel lies at x = 100, y = 125.
    assert alone[125, 100] == alone.max() == index
    colour = table(Colormap.INFERNO)[index].astype(float)
    blended = GREY + (colour - GREY) * index / 255
    np.testing.assert_allclose(over[125, 100], blended, atol=1)


def test_saturated_heat_keeps_its_shape() -> None:
    """Heat is cut after it is resampled: twice the full value falls to it half way."""
    heat = replace(hot_pixel(2, 2, Affine(40, 20, 50, 25)), full_value=2.1)

    laid = lay(heat, (ROWS, COLUMNS), (ROWS, COLUMNS))

    np.testing.assert_allclose(laid[125, [100, 110, 120, 130]], [1, 1, 1, 0.5], atol=1e-5)
