from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from service.records import Floats
from service.rendering import Colormap, FilterScale, draw_filters, draw_montage
from service.rendering.montage import BACKGROUND, GAP

BRIGHT = 10.0
FAINT = 1.0
DEAD = 0.0
MAPS: Floats = np.zeros((4, 6, 3), np.float32)
MAPS[1, 2] = [BRIGHT, FAINT, DEAD]


def pixels(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(BytesIO(png)))


def test_faint_filter_looks_faint_on_layer_scale() -> None:
    pictures = draw_filters(MAPS, FilterScale.LAYER)

    bright, faint, dead = (pixels(picture.png) for picture in pictures)
    assert bright.max() == 255
    assert faint.max() == 26  # 255 / 10, rounded
    assert dead.max() == 0


def test_faint_filter_looks_bright_on_filter_scale() -> None:
    """A dead filter is still black."""
    pictures = draw_filters(MAPS, FilterScale.FILTER)

    _, faint, dead = (pixels(picture.png) for picture in pictures)
    assert faint.max() == 255
    assert dead.max() == 0


@pytest.mark.parametrize("scale", list(FilterScale))
def test_values_can_be_restored_from_grey(scale: FilterScale) -> None:
    """The black and the white of a picture are enough."""
    maps = np.random.default_rng(3).normal(size=(5, 7, 4)).astype(np.float32)

    for index, picture in enumerate(draw_filters(maps, scale)):
        span = picture.white - picture.black
        values = picture.black + pixels(picture.png) / 255 * span
        np.testing.assert_allclose(values, maps[..., index], atol=span / 255)


def test_constantly_bright_filter_looks_bright() -> None:
    (picture,) = draw_filters(np.full((2, 2, 1), 5, np.float32), FilterScale.FILTER)

    assert pixels(picture.png).min() == 255


def test_montage_shows_filters_upright_in_reading_order() -> None:
    sheet = pixels(draw_montage(MAPS, FilterScale.LAYER, Colormap.GRAY, {}))

    assert (sheet[:GAP] == BACKGROUND).all()
    tile_rows = 3
    tile_columns = 1
    height = (sheet.shape[0] - GAP) // tile_rows - GAP
    width = (sheet.shape[1] - GAP) // tile_columns - GAP
    assert height % 4 == 0
    assert width % 6 == 0

    cell = sheet[GAP + height // 4 + 1, GAP + width // 3 + 1]
    np.testing.assert_array_equal(cell, [255, 255, 255])


def test_maps_too_large_for_montage_are_reduced() -> None:
    maps = np.ones((300, 200, 64), np.float32)

    sheet = pixels(draw_montage(maps, FilterScale.LAYER, Colormap.VIRIDIS, {}))

    assert max(sheet.shape) < 1600
