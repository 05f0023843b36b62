import math
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from service.geometry import Affine
from service.records import Box, Floats, Heatmap, MapState, Peak
from service.rendering import Colormap, FramedPicture, Style, heat_alone, overlay
from service.rendering.overlay import lay

ROWS = 300
COLUMNS = 200
WHOLE = Box(0, 0, COLUMNS, ROWS)
GREY = 117
FLAT = np.full((ROWS, COLUMNS), GREY, np.uint8)


def heat(values: Floats, to_source: Affine) -> Heatmap:
    row, column = (int(index) for index in np.unravel_index(values.argmax(), values.shape))
    peak = Peak(float(values.max()), row, column, *to_source.apply(column, row))
    return Heatmap(values, to_source, MapState.OK, peak)


def hot_cell(row: int, column: int, to_source: Affine, shape: tuple[int, int] = (6, 5)) -> Heatmap:
    values = np.zeros(shape, np.float32)
    values[row, column] = 4.2
    return heat(values, to_source)


def opened(picture: FramedPicture) -> Image.Image:
    image = Image.open(BytesIO(picture.png))
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
    heatmap = hot_cell(2, 1, to_source)
    style = Style(Colormap.INFERNO, 1.0, long_edge)

    picture = heat_alone((ROWS, COLUMNS), heatmap, WHOLE, style, {})

    strength = alpha(picture).astype(float)
    rows, columns = np.nonzero(strength == strength.max())
    x, y = picture.to_source.apply(float(columns.mean()), float(rows.mean()))
    assert heatmap.peak is not None
    pixel = picture.to_source.scale_x
    assert abs(x - heatmap.peak.x) <= pixel
    assert abs(y - heatmap.peak.y) <= pixel


@pytest.mark.parametrize("reduction", [1, 4])
def test_heat_between_cell_centres_is_bilinear(reduction: int) -> None:
    """It is evaluated at the centres of the picture's pixels."""
    values = np.random.default_rng(1).random((6, 5)).astype(np.float32)
    heatmap = heat(values, Affine(40.0, 19.5, 50.0, 24.5))
    shape = (ROWS // reduction, COLUMNS // reduction)

    laid = lay(heatmap, WHOLE, (ROWS, COLUMNS), shape)

    x = ((np.arange(shape[1]) + 0.5) * reduction - 0.5 - 19.5) / 40
    y = ((np.arange(shape[0]) + 0.5) * reduction - 0.5 - 24.5) / 50
    rows = np.stack([np.interp(x, np.arange(5), row) for row in values])
    grid = np.stack([np.interp(y, np.arange(6), column) for column in rows.T], axis=1)
    np.testing.assert_allclose(laid, grid / values.max(), atol=1e-6)


def test_there_is_no_heat_outside_box() -> None:
    heatmap = heat(np.ones((6, 5), np.float32), Affine(14, 55, 23, 70))
    box = Box(50, 60, 120, 200)

    laid = lay(heatmap, box, (ROWS, COLUMNS), (ROWS, COLUMNS))

    expected = np.zeros((ROWS, COLUMNS))
    expected[60:200, 50:120] = 1
    np.testing.assert_array_equal(laid, expected)


def test_reduced_picture_has_heat_at_centres_in_box() -> None:
    # Reduced by 4, the picture's pixels are centred on 1.5, 5.5, 9.5, ... and the box spans 5.5 up
    # to 9.5.
    heatmap = heat(np.ones((6, 5), np.float32), Affine(14, 55, 23, 70))
    box = Box(6, 6, 10, 10)

    laid = lay(heatmap, box, (40, 40), (10, 10))

    np.testing.assert_array_equal(np.argwhere(laid), [[1, 1]])


def test_mammogram_without_heat_is_unchanged() -> None:
    style = Style(Colormap.INFERNO, 1.0, math.inf)
    heatmap = hot_cell(0, 0, Affine(10, 10, 10, 10))

    picture = overlay(FLAT, FLAT.shape, heatmap, WHOLE, style, {})

    pixels = np.asarray(opened(picture))
    np.testing.assert_array_equal(pixels[100:, 100:], np.full((200, 100, 3), GREY))
    # The hottest cell has the hot end of inferno.
    np.testing.assert_allclose(pixels[10, 10], [252, 255, 164], atol=1)


def test_opacity_zero_shows_mammogram_alone() -> None:
    style = Style(Colormap.INFERNO, 0.0, math.inf)
    heatmap = hot_cell(0, 0, Affine(10, 10, 10, 10))

    picture = overlay(FLAT, FLAT.shape, heatmap, WHOLE, style, {})

    np.testing.assert_array_equal(np.asarray(opened(picture)), np.full((ROWS, COLUMNS, 3), GREY))


def test_heat_alone_is_indexed_with_transparency() -> None:
    """Cold pixels are transparent."""
    heatmap = hot_cell(2, 2, Affine(40, 20, 50, 25))
    style = Style(Colormap.TURBO, 0.5, math.inf)

    picture = heat_alone((ROWS, COLUMNS), heatmap, WHOLE, style, {})

    assert opened(picture).mode == "P"
    strength = alpha(picture)
    assert strength[-1, -1] == 0
    assert strength.max() == 128


def test_blank_map_is_transparent() -> None:
    blank = Heatmap(np.zeros((6, 5), np.float32), Affine(), MapState.DEAD_LAYER, None)
    style = Style(Colormap.JET, 1.0, 64)

    picture = heat_alone((ROWS, COLUMNS), blank, WHOLE, style, {})

    assert not alpha(picture).any()


def test_picture_keeps_provenance_in_text_chunks() -> None:
    style = Style(Colormap.GRAY, 1.0, 64)
    heatmap = hot_cell(0, 0, Affine())
    text = {"Software": "model demo/1"}

    picture = heat_alone((ROWS, COLUMNS), heatmap, WHOLE, style, text)

    assert opened(picture).info["Software"] == "model demo/1"
