"""Values on a coarse grid of cells, read off at the pixels of a finer one."""

import numpy as np
from numpy.typing import NDArray

from service.geometry import Affine


def interpolate(values: NDArray[np.float32], to_cell: Affine, shape: tuple[int, int]) -> NDArray[np.float32]:
    """The cells' `values` [h, w] at every pixel of a [height, width] grid; `to_cell` leads from its pixels to cells.

    Bilinear between cell centres; beyond the outermost centres the value holds.
    """
    (height, width), (rows, columns) = shape, values.shape
    down = linear_weights(to_cell.scale_y, to_cell.shift_y, height, rows)
    across = linear_weights(to_cell.scale_x, to_cell.shift_x, width, columns)
    return np.asarray(down @ values @ across.T, dtype=np.float32)


def linear_weights(scale: float, shift: float, count: int, cells: int) -> NDArray[np.float32]:
    """Row p of [count, cells] holds the linear weights of the cells around scale * p + shift.

    The map is axis-aligned, so one small product per axis does the whole interpolation, exactly.
    """
    held = (scale * np.arange(count) + shift).clip(0, cells - 1)
    lower = np.floor(held).astype(int).clip(0, max(cells - 2, 0))
    upper = np.minimum(lower + 1, cells - 1)
    weights = np.zeros((count, cells), np.float32)
    rows = np.arange(count)
    weights[rows, upper] = held - lower
    weights[rows, lower] = 1 - (held - lower)
    return weights
