import cv2
import numpy as np
import pytest

from service.explanation import regions
from service.geometry import IDENTITY, Affine
from service.records import Floats, Heatmap, MapState, Peak


def heated(values: Floats, to_source: Affine = IDENTITY) -> Heatmap:
    row, column = (int(index) for index in np.unravel_index(values.argmax(), values.shape))
    x, y = to_source.apply(column, row)
    return Heatmap(values, to_source, MapState.OK, Peak(float(values.max()), row, column, x, y))


def blocks() -> Floats:
    """Return a map of 300 x 300 cells, fine enough not to be interpolated.

    It has a block of 20 x 10 cells at 2, with one cell at 3, and a block of 5 x 5 cells at 1.
    """
    values = np.zeros((300, 300), np.float32)
    values[100:120, 50:60] = 2
    values[200:205, 200:205] = 1
    values[102, 52] = 3
    return values


def test_regions_are_sorted_by_heat() -> None:
    """They are the connected parts above the level."""
    first, second = regions(heated(blocks()), 0.3, None)

    total = 199 * 2 + 3 + 25
    assert first.heat_share == pytest.approx(401 / total)
    assert second.heat_share == pytest.approx(25 / total)
    assert first.box == (49.5, 99.5, 59.5, 119.5)
    assert (first.area, second.area) == (200, 25)
    assert (first.peak, first.peak_value) == ((52, 102), 3)
    assert first.area_mm2 is None


def test_higher_level_leaves_out_fainter_region() -> None:
    (at_half,) = regions(heated(blocks()), 0.5, None)
    (at_peak,) = regions(heated(blocks()), 1.0, None)

    assert at_half.peak_value == 3
    assert at_peak.area == 1


def test_regions_of_flipped_map_use_source_pixels() -> None:
    """`area_mm2` is in square millimetres."""
    to_source = Affine(scale_x=-2, shift_x=1000, scale_y=4, shift_y=7)

    first, _ = regions(heated(blocks(), to_source), 0.3, (0.1, 0.05))

    assert first.box == (1000 - 2 * 59.5, 7 + 4 * 99.5, 1000 - 2 * 49.5, 7 + 4 * 119.5)
    assert first.area == 200 * 8
    assert first.area_mm2 == pytest.approx(200 * 8 * 0.1 * 0.05)
    assert first.peak == (1000 - 104, 7 + 408)


def test_contour_encloses_region() -> None:
    first, _ = regions(heated(blocks()), 0.3, None)

    outline = np.array(first.contour, np.float32)
    assert cv2.pointPolygonTest(outline, (55, 110), measureDist=False) > 0
    assert cv2.pointPolygonTest(outline, (70, 110), measureDist=False) < 0
    assert outline.min(axis=0).tolist() == [50, 100]
    assert outline.max(axis=0).tolist() == [59, 119]


def test_coarse_map_is_outlined_after_interpolation() -> None:
    # One hot cell at (x, y) = (3, 4). The heat falls to half of it half a cell from its centre.
    values = np.zeros((9, 7), np.float32)
    values[4, 3] = 1

    (only,) = regions(heated(values, Affine(100, 0, 100, 0)), 0.5, None)

    left, top, right, bottom = only.box
    assert (left, right) == pytest.approx((250, 350), abs=5)
    assert (top, bottom) == pytest.approx((350, 450), abs=5)
    assert only.peak == pytest.approx((300, 400))


def test_regions_that_touch_at_corner_are_one() -> None:
    values = np.zeros((256, 256), np.float32)
    values[10:20, 10:20] = 1
    values[20:30, 20:30] = 1

    assert len(regions(heated(values), 0.5, None)) == 1


def test_blank_map_has_no_regions() -> None:
    blank = Heatmap(np.zeros((4, 4), np.float32), IDENTITY, MapState.ALL_NEGATIVE, None)

    assert regions(blank, 0.5, None) == []
