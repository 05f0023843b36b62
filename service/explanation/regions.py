"""Connected regions of a heatmap, for a viewer to draw."""

import math

import cv2
import numpy as np

from service.geometry import Affine, interpolate
from service.records import Floats, Heatmap, HeatRegion

FINE = 256
"""Maps are interpolated to about this length of their longer edge, in pixels, before outlining."""


def regions(
    heatmap: Heatmap, level: float, pixel_spacing_mm: tuple[float, float] | None
) -> list[HeatRegion]:
    """Return the regions where the interpolated heat is at or above `level` * the peak.

    The region with the most heat comes first. A blank map has none. `level`: in (0, 1].
    `pixel_spacing_mm`: between rows, between columns. Outlines are exact to half a pixel of the
    interpolated map, which for a coarse layer is a small part of a cell.
    """
    if heatmap.peak is None:
        return []

    fine, fine_to_source = _refine(heatmap)
    above = (fine >= level * heatmap.peak.value).astype(np.uint8)
    count, labels = cv2.connectedComponents(above, connectivity=8)

    # Label 0 is the background.
    total = float(fine.sum(dtype=np.float64))
    unsorted = [
        _region(labels == index, fine, fine_to_source, total, pixel_spacing_mm)
        for index in range(1, count)
    ]
    return sorted(unsorted, key=lambda region: -region.heat_share)


def _refine(heatmap: Heatmap) -> tuple[Floats, Affine]:
    """Return the map on a finer grid, and the affine map from that grid to the source.

    Each cell centre is a pixel of the finer grid, so that the peak keeps its value.
    """
    rows, columns = heatmap.values.shape
    factor = max(1, math.ceil(FINE / max(rows, columns)))

    shift = -(factor // 2) / factor
    to_cell = Affine(1 / factor, 0.0, 1 / factor, 0.0).then(Affine(1, shift, 1, shift))

    fine = interpolate(heatmap.values, to_cell, (rows * factor, columns * factor))
    return fine, to_cell.then(heatmap.to_source)


def _region(
    inside: np.ndarray,
    fine: Floats,
    to_source: Affine,
    total: float,
    pixel_spacing_mm: tuple[float, float] | None,
) -> HeatRegion:
    """Describe the region that is given as a mask on the finer grid.

    `total`: all the heat of the map.
    """
    contours, _ = cv2.findContours(
        inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    outline = max(contours, key=len)

    heat = np.where(inside, fine, -1)
    row, column = (int(index) for index in np.unravel_index(int(heat.argmax()), heat.shape))
    heat_share = float(fine[inside].sum(dtype=np.float64)) / total

    # The box spans the outer edges of the pixels, not their centres. A flip swaps its corners.
    rows, columns = np.nonzero(inside)
    corners = [
        to_source.apply(float(columns.min()) - 0.5, float(rows.min()) - 0.5),
        to_source.apply(float(columns.max()) + 0.5, float(rows.max()) + 0.5),
    ]
    left, right = sorted(x for x, _ in corners)
    top, bottom = sorted(y for _, y in corners)

    area = len(rows) * abs(to_source.scale_x * to_source.scale_y)
    area_mm2 = area * pixel_spacing_mm[0] * pixel_spacing_mm[1] if pixel_spacing_mm else None

    return HeatRegion(
        contour=[to_source.apply(float(x), float(y)) for x, y in outline[:, 0]],
        box=(left, top, right, bottom),
        area=area,
        area_mm2=area_mm2,
        heat_share=heat_share,
        peak=to_source.apply(column, row),
        peak_value=float(fine[row, column]),
    )
