from dataclasses import replace

import cv2
import numpy as np
import pytest

from service.explanation import regions
from service.geometry import IDENTITY, Affine
from service.records import Box, DrawnHeat, Floats


def heated(values: Floats, to_source: Affine = IDENTITY) -> DrawnHeat:
    rows, columns = values.shape
    return DrawnHeat(values, to_source, Box(0, 0, columns, rows), float(values.max()))


def blocks() -> Floats:
    """Return heat on 300 x 300 pixels.

    It has a block of 20 x 10 pixels at 2, with one pixel at 3, and a block of 5 x 5 pixels at 1.
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
    assert first.box == pytest.approx((49.5, 99.5, 59.5, 119.5), abs=0.2)
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

    box = (1000 - 2 * 59.5, 7 + 4 * 99.5, 1000 - 2 * 49.5, 7 + 4 * 119.5)
    assert first.box == pytest.approx(box, abs=0.2 * 4)
    assert first.area == 200 * 8
    assert first.area_mm2 == pytest.approx(200 * 8 * 0.1 * 0.05)
    assert first.peak == (1000 - 104, 7 + 408)


def test_contour_encloses_region() -> None:
    first, _ = regions(heated(blocks()), 0.3, None)

    outline = np.array(first.contour, np.float32)
    assert cv2.pointPolygonTest(outline, (55, 110), measureDist=False) > 0
    assert cv2.pointPolygonTest(outline, (70, 110), measureDist=False) < 0
    np.testing.assert_allclose(outline.min(axis=0), [49.5, 99.5], atol=0.2)
    np.testing.assert_allclose(outline.max(axis=0), [59.5, 119.5], atol=0.2)


def test_outline_follows_level_between_pixels() -> None:
    """Heat that falls with the distance from a centre has a circle for an outline."""
    y, x = np.mgrid[:40, :40]
    values = np.asarray(1 - np.hypot(x - 20, y - 20) / 15, np.float32).clip(0)

    (only,) = regions(heated(values), 0.44, None)

    radii = np.hypot(*(np.array(only.contour) - 20).T)
    np.testing.assert_allclose(radii, 0.56 * 15, atol=1 / 3)
    assert only.box == pytest.approx((11.6, 11.6, 28.4, 28.4), abs=0.2)
    area = cv2.contourArea(np.array(only.contour, np.float32))
    assert area == pytest.approx(np.pi * (0.56 * 15) ** 2, rel=0.06)
    assert only.area == pytest.approx(np.pi * (0.56 * 15) ** 2, rel=0.03)


def test_outline_of_long_region_is_exact() -> None:
    """To a hundredth of its length."""
    y, x = np.mgrid[:640, :640]
    values = np.asarray(1 - np.hypot(x - 320, y - 320) / 500, np.float32).clip(0)

    for radius in (80, 150, 300):
        (only,) = regions(heated(values), 1 - radius / 500, None)

        radii = np.hypot(*(np.array(only.contour) - 320).T)
        np.testing.assert_allclose(radii, radius, atol=radius / 50)
        assert only.box == pytest.approx((320 - radius,) * 2 + (320 + radius,) * 2, abs=1)


def test_region_at_edge_reaches_edge() -> None:
    values = np.zeros((20, 20), np.float32)
    values[5:15, :4] = 1

    (only,) = regions(heated(values), 0.5, None)

    assert only.box == pytest.approx((-0.5, 4.5, 3.5, 14.5), abs=0.11)


def test_region_beside_another_is_outlined_alone() -> None:
    """The bounding box of the first holds all of the second."""
    values = np.zeros((40, 40), np.float32)
    values[5:35, 5:10] = 1
    values[30:35, 5:35] = 1
    values[10:15, 25:30] = 0.9

    first, second = regions(heated(values), 0.5, None)

    assert first.box == pytest.approx((4.5, 4.5, 34.5, 34.5), abs=0.2)
    assert second.box == pytest.approx((24.5, 9.5, 29.5, 14.5), abs=0.2)
    assert cv2.contourArea(np.array(second.contour, np.float32)) == pytest.approx(25, rel=0.1)


def test_regions_that_touch_at_corner_are_one() -> None:
    values = np.zeros((256, 256), np.float32)
    values[10:20, 10:20] = 1
    values[20:30, 20:30] = 1

    assert len(regions(heated(values), 0.5, None)) == 1


def test_peak_in_air_can_leave_no_region() -> None:
    heat = DrawnHeat(np.full((9, 9), 0.2, np.float32), IDENTITY, Box(0, 0, 9, 9), 1.0)

    assert regions(heat, 0.5, None) == []


def test_blank_map_has_no_regions() -> None:
    assert regions(heated(np.zeros((4, 4), np.float32)), 0.5, None) == []


def test_level_is_share_of_full_value() -> None:
    """Blocks at 2 and 1, and a pixel at 3: beside 10, they are weak."""
    heat = heated(blocks())

    assert regions(replace(heat, full_value=10.0), 0.5, None) == []
    (pixel,) = regions(replace(heat, full_value=5.0), 0.5, None)
    both = regions(replace(heat, full_value=1.5), 0.5, None)

    assert (pixel.area, pixel.peak_value) == (1, 3)
    assert [region.area for region in both] == [200, 25]
