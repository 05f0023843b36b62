"""Connected regions of a heatmap, as marks a viewer can draw."""

import math

import cv2
import numpy as np

from service.geometry import Affine, interpolate
from service.records import Floats, Heatmap, HeatRegion

FINE = 256
"""Maps are interpolated to about this many pixels along their longer edge before their outlines are followed."""


def regions(
    heatmap: Heatmap, level: float, pixel_spacing_mm: tuple[float, float] | None
) -> list[HeatRegion]:
    """The regions where the interpolated heat is at or above `level` * its peak, those with the most heat first.

    `level`: in (0, 1]. `pixel_spacing_mm`: between rows, between columns. Outlines are right to half a pixel of the
    interpolated map, which for a coarse layer is a small part of a cell. Empty for a blank map.
    """
    if heatmap.peak is None:
        return []
    fine, fine_to_source = _refine(heatmap)
    above = (fine >= level * heatmap.peak.value).astype(np.uint8)
    count, labels = cv2.connectedComponents(above, connectivity=8)
    total = float(fine.sum(dtype=np.float64))
    found = [
        _region(labels == index, fine, fine_to_source, total, pixel_spacing_mm)
        for index in range(1, count)
    ]
    return sorted(found, key=lambda region: -region.heat_share)


def _refine(heatmap: Heatmap) -> tuple[Floats, Affine]:
    """The map on a grid so fine that every cell centre is one of its pixels, and the way from there to the source."""
    rows, columns = heatmap.values.shape
    factor = max(1, math.ceil(FINE / max(rows, columns)))
    to_cell = Affine(1 / factor, 0.0, 1 / factor, 0.0).then(
        Affine(1, -(factor // 2) / factor, 1, -(factor // 2) / factor)
    )
    fine = interpolate(heatmap.values, to_cell, (rows * factor, columns * factor))
    return fine, to_cell.then(heatmap.to_source)


def _region(
    inside: np.ndarray,
    fine: Floats,
    to_source: Affine,
    total: float,
    pixel_spacing_mm: tuple[float, float] | None,
) -> HeatRegion:
    outline = max(
        cv2.findContours(inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0],
        key=len,
    )
    heat = np.where(inside, fine, -1)
    row, column = (int(index) for index in np.unravel_index(int(heat.argmax()), heat.shape))
    rows, columns = np.nonzero(inside)
    edges = [  # of pixels, not their centres
        to_source.apply(float(columns.min()) - 0.5, float(rows.min()) - 0.5),
        to_source.apply(float(columns.max()) + 0.5, float(rows.max()) + 0.5),
    ]
    (left, right), (top, bottom) = sorted(x for x, _ in edges), sorted(y for _, y in edges)
    area = len(rows) * abs(to_source.scale_x * to_source.scale_y)
    return HeatRegion(
        contour=[to_source.apply(float(x), float(y)) for x, y in outline[:, 0]],
        box=(left, top, right, bottom),
        area=area,
        area_mm2=area * pixel_spacing_mm[0] * pixel_spacing_mm[1] if pixel_spacing_mm else None,
        heat_share=float(fine[inside].sum(dtype=np.float64)) / total,
        peak=to_source.apply(column, row),
        peak_value=float(fine[row, column]),
    )
