from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from service.records import Floats
from service.rendering import Colormap, FilterScale, draw_filters, montage_png
from service.rendering.montage import BACKGROUND, GAP

BRIGHT, FAINT, DEAD = 10.0, 1.0, 0.0
MAPS: Floats = np.zeros((4, 6, 3), np.float32)
MAPS[1, 2] = BRIGHT, FAINT, DEAD


def pixels(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(BytesIO(png)))


def test_filters_of_a_layer_share_one_scale_so_that_a_faint_one_looks_faint() -> None:
    bright, faint, dead = (pixels(picture.png) for picture in draw_filters(MAPS, FilterScale.LAYER))
    assert bright.max() == 255
    assert faint.max() == 26  # 255 / 10, rounded
    assert dead.max() == 0


def test_on_its_own_scale_a_faint_filter_is_fully_bright_and_a_dead_one_still_black() -> None:
    _, faint, dead = (pixels(picture.png) for picture in draw_filters(MAPS, FilterScale.FILTER))
    assert faint.max() == 255
    assert dead.max() == 0


@pytest.mark.parametrize("scale", list(FilterScale))
def test_values_come_back_from_grey_by_the_black_and_white_that_are_told(
    scale: FilterScale,
) -> None:
    maps = np.random.default_rng(3).normal(size=(5, 7, 4)).astype(np.float32)
    for index, picture in enumerate(draw_filters(maps, scale)):
        values = picture.black + pixels(picture.png) / 255 * (picture.white - picture.black)
        np.testing.assert_allclose(
            values, maps[..., index], atol=(picture.white - picture.black) / 255
        )


def test_a_filter_that_is_constantly_bright_does_not_look_dark() -> None:
    (picture,) = draw_filters(np.full((2, 2, 1), 5, np.float32), FilterScale.FILTER)
    assert pixels(picture.png).min() == 255


def test_a_montage_shows_every_filter_upright_in_reading_order() -> None:
    sheet = pixels(montage_png(MAPS, FilterScale.LAYER, Colormap.GRAY, {}))
    assert (sheet[:GAP] == BACKGROUND).all()
    tile_rows, tile_columns = 3, 1
    height = (sheet.shape[0] - GAP) // tile_rows - GAP
    width = (sheet.shape[1] - GAP) // tile_columns - GAP
    assert height % 4 == 0
    assert width % 6 == 0
    cell = sheet[GAP + height // 4 + 1, GAP + width // 3 + 1]
    np.testing.assert_array_equal(cell, [255, 255, 255])


def test_maps_too_many_or_too_large_for_the_sheet_are_reduced() -> None:
    sheet = pixels(
        montage_png(np.ones((300, 200, 64), np.float32), FilterScale.LAYER, Colormap.VIRIDIS, {})
    )
    assert max(sheet.shape) < 1600
