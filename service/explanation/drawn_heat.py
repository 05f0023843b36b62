"""The heat as pictures and regions show it: drawn where receptive fields lie, faded in air."""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from service.geometry import Affine, linear_weights
from service.records import Box, DrawnHeat, Floats, Heatmap, Mask, ReceptiveField

MIN_FADE = 0.01
"""Share of the longer edge of the model's grid: the least distance over which heat fades in air."""


def drawn_heat(
    heatmap: Heatmap,
    field: ReceptiveField,
    mask: Mask,
    grid_to_source: Affine,
    box: Box,
    full_value: float | None = None,
) -> DrawnHeat:
    """Return the heat of a heatmap as it is drawn.

    It is bilinear between the centres of the cells. Beyond the outermost centres it falls linearly
    to 0 at the end of the outermost receptive fields. In air it falls linearly to 0 over half a
    stride, and over 1 % of the grid's longer edge at least.

    The drawn grid is the model's, moved by less than a pixel so that the centre of each cell is a
    pixel: a peak in the breast keeps its value and its place. `mask`: the breast on the model's
    grid. `grid_to_source`: from that grid to source pixels. `box`: the crop that the model sees.
    `full_value`: the raw value to draw at full strength, None for the peak of the heatmap.
    """
    # Lay the grid out over the box.
    rows, columns = heatmap.values.shape
    vertical = _axis(field.stride_y, field.offset_y, field.height, rows, mask.shape[0])
    horizontal = _axis(field.stride_x, field.offset_x, field.width, columns, mask.shape[1])
    vertical = _cut(vertical, grid_to_source.scale_y, grid_to_source.shift_y, box.top, box.bottom)
    horizontal = _cut(
        horizontal, grid_to_source.scale_x, grid_to_source.shift_x, box.left, box.right
    )

    # Interpolate the cells, and fade the heat in air.
    spread = vertical.weights @ heatmap.values @ horizontal.weights.T
    fade = _fade(mask, max(field.stride_y, field.stride_x) / 2)
    share = fade[np.ix_(vertical.nearest, horizontal.nearest)]
    values = np.asarray(spread * share, dtype=np.float32)

    to_grid = Affine(horizontal.step, horizontal.first, vertical.step, vertical.first)
    if full_value is None:
        full_value = heatmap.peak.value if heatmap.peak else 0.0
    return DrawnHeat(values, to_grid.then(grid_to_source), box, full_value)


@dataclass(frozen=True, slots=True)
class _DrawnAxis:
    """One axis of the drawn grid. Its pixel p lies at step * p + first of the model's grid.

    `weights`: of the cells in each pixel [pixels, cells]. `nearest`: the nearest pixel of the
    model's grid [pixels].
    """

    step: float
    first: float
    weights: Floats
    nearest: NDArray[np.int64]


def _axis(stride: float, offset: float, size: int, cells: int, length: int) -> _DrawnAxis:
    """Lay pixels over the model's grid, of `length` pixels, so that each cell's centre is one.

    `stride`, `offset`, `size`: of the receptive fields. The pixels lie strictly inside the grid,
    and are about as far apart as its own.
    """
    # The pixels, counted from the centre of the first cell.
    per_cell = max(1, round(stride))
    step = stride / per_cell
    start = math.floor((-0.5 - offset) / step) + 1
    stop = math.ceil((length - 0.5 - offset) / step)
    count = stop - start
    positions = offset + step * np.arange(start, stop)

    # Beyond the outermost centres the weight falls to 0 at the end of the receptive field.
    weights = linear_weights(1 / per_cell, start / per_cell, count, cells)
    last = offset + stride * (cells - 1)
    beyond = np.maximum(offset - positions, positions - last).clip(min=0)
    support = (1 - beyond / (size / 2)).clip(min=0).astype(np.float32)

    nearest = np.rint(positions).astype(np.int64).clip(0, length - 1)
    return _DrawnAxis(step, offset + step * start, weights * support[:, None], nearest)


def _cut(axis: _DrawnAxis, scale: float, shift: float, start: int, stop: int) -> _DrawnAxis:
    """Keep the pixels centred in start .. stop of the source, and at least the nearest one.

    `scale`, `shift`: from the model's grid to the source.
    """
    positions = scale * (axis.first + axis.step * np.arange(len(axis.nearest))) + shift
    beyond = np.abs(positions - (start + stop - 1) / 2) - (stop - start) / 2
    (kept,) = np.nonzero(beyond <= max(0, beyond.min()))

    part = slice(kept[0], kept[-1] + 1)
    return replace(
        axis,
        first=axis.first + axis.step * int(kept[0]),
        weights=axis.weights[part],
        nearest=axis.nearest[part],
    )


def _fade(mask: Mask, half_stride: float) -> Floats:
    """Return the share of the heat that is drawn at each pixel: 1 in the breast, 0 far from it."""
    distance = cv2.distanceTransform(
        np.logical_not(mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5
    )
    reach = max(half_stride, MIN_FADE * max(mask.shape))
    return np.asarray(1 - distance.clip(max=reach) / reach, dtype=np.float32)
