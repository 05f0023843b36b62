"""Connected regions of the drawn heat, for a viewer to mark."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from service import geometry
from service.geometry import Affine
from service.records import DrawnHeat, Floats, HeatRegion, Mask

MAX_SUBPIXELS = 5
"""Largest number of an outline's pixels for each pixel of the drawn heat, along an axis."""
FINE = 512
"""Length of a region's longer edge in pixels of its outline, beyond which none are added."""


def regions(
    heat: DrawnHeat, level: float, pixel_spacing_mm: tuple[float, float] | None
) -> list[HeatRegion]:
    """Return the regions where the drawn heat is at or above `level` * its full value.

    The region with the most heat comes first. A blank map has none, and neither has a map that is
    weak beside the full value, or whose hot cells all lie in air. `level`: in (0, 1].
    `pixel_spacing_mm`: between rows, between columns. Outlines are exact to a third of a pixel of
    the drawn heat, or to 1 % of a region that is longer than 128 pixels.
    """
    if heat.full_value == 0.0:
        return []

    threshold = level * heat.full_value
    total = float(heat.values.sum(dtype=np.float64))
    unsorted = [
        _region(part, threshold, total, pixel_spacing_mm) for part in _parts(heat, threshold)
    ]
    return sorted(unsorted, key=lambda region: -region.heat_share)


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of the drawn heat around one region.

    `values`: the heat [h, w]. `inside`: the region, as a mask [h, w]. `to_source`: from their
    pixels to source pixels.
    """

    values: Floats
    inside: Mask
    to_source: Affine


def _parts(heat: DrawnHeat, threshold: float) -> Iterator[_Part]:
    """Cut out every connected region, with one pixel around it to show where the heat crosses."""
    above = (heat.values >= threshold).astype(np.uint8)
    count, labels, bounds, _ = cv2.connectedComponentsWithStats(above, connectivity=8)

    # Label 0 is the background.
    for index in range(1, count):
        left, top, width, height = (int(bound) for bound in bounds[index][:4])
        first_row = max(top - 1, 0)
        first_column = max(left - 1, 0)
        window = (
            slice(first_row, top + height + 1),
            slice(first_column, left + width + 1),
        )
        to_source = geometry.shift(first_column, first_row).then(heat.to_source)
        yield _Part(heat.values[window], labels[window] == index, to_source)


def _region(
    part: _Part, threshold: float, total: float, pixel_spacing_mm: tuple[float, float] | None
) -> HeatRegion:
    """Describe a region. `total`: all the drawn heat of the map."""
    heat = np.where(part.inside, part.values, 0)
    row, column = (int(index) for index in np.unravel_index(int(heat.argmax()), heat.shape))

    to_source = part.to_source
    area = int(part.inside.sum()) * abs(to_source.scale_x * to_source.scale_y)
    area_mm2 = area * pixel_spacing_mm[0] * pixel_spacing_mm[1] if pixel_spacing_mm else None

    subpixels = _subpixels(max(heat.shape))
    outline = _outline(part, threshold, subpixels)
    outline_to_source = geometry.resize(1, 1, subpixels, subpixels).then(to_source)
    points = cv2.approxPolyDP(outline, epsilon=1, closed=True)[:, 0]

    return HeatRegion(
        contour=[outline_to_source.apply(float(x), float(y)) for x, y in points],
        box=_box(outline, outline_to_source),
        area=area,
        area_mm2=area_mm2,
        heat_share=float(heat.sum(dtype=np.float64)) / total,
        peak=to_source.apply(column, row),
        peak_value=float(heat[row, column]),
    )


def _subpixels(longest: int) -> int:
    """Return the number of an outline's pixels for each pixel of a region that long.

    It is odd, so that the centre of each pixel is one of the outline's.
    """
    return min(MAX_SUBPIXELS, 2 * (FINE // (2 * longest)) + 1)


def _outline(part: _Part, threshold: float, subpixels: int) -> NDArray[np.int32]:
    """Return the outline of a region on finer pixels, as an array of points [n, 1, (x, y)].

    A region that hangs together by a corner alone may fall apart there: then it is that of the
    largest piece.
    """
    # Other regions in the same part would be outlined with it.
    is_own = part.inside | (part.values < threshold)
    own = np.where(is_own, part.values, 0)
    fine = cv2.resize(own, None, fx=subpixels, fy=subpixels, interpolation=cv2.INTER_LINEAR)
    above = fine >= threshold

    # Rounding must not lose the pixels at the level itself.
    centre = subpixels // 2
    above[centre::subpixels, centre::subpixels] |= part.inside

    contours, _ = cv2.findContours(
        above.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    return np.asarray(max(contours, key=cv2.contourArea), dtype=np.int32)


def _box(outline: NDArray[np.int32], to_source: Affine) -> tuple[float, float, float, float]:
    """Return the bounding box of an outline in source pixels: left, top, right, bottom.

    It spans the outer edges of the pixels, not their centres. A flip swaps its corners.
    """
    first_x, first_y = outline.min(axis=(0, 1))
    last_x, last_y = outline.max(axis=(0, 1))
    corners = [
        to_source.apply(float(first_x) - 0.5, float(first_y) - 0.5),
        to_source.apply(float(last_x) + 0.5, float(last_y) + 0.5),
    ]

    left, right = sorted(x for x, _ in corners)
    top, bottom = sorted(y for _, y in corners)
    return left, top, right, bottom
