"""Axis-aligned affine maps between pixel grids, and values of a coarse grid read off at the pixels of a finer one.

Crop, flip, resize, pad and receptive field are all written as such a map.

Coordinates are (x, y) = (column, row) of pixel *centres*: the centre of the top-left pixel is (0, 0), the image spans
-0.5 .. columns - 0.5.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Affine:
    """x' = scale_x * x + shift_x, y' = scale_y * y + shift_y; a negative scale is a flip."""

    scale_x: float = 1.0
    shift_x: float = 0.0
    scale_y: float = 1.0
    shift_y: float = 0.0

    def apply(self, x: float, y: float) -> tuple[float, float]:
        """The image (x', y') of the point (x, y)."""
        return self.scale_x * x + self.shift_x, self.scale_y * y + self.shift_y

    def then(self, after: "Affine") -> "Affine":
        """The map that does this one first and `after` second."""
        return Affine(
            scale_x=after.scale_x * self.scale_x,
            shift_x=after.scale_x * self.shift_x + after.shift_x,
            scale_y=after.scale_y * self.scale_y,
            shift_y=after.scale_y * self.shift_y + after.shift_y,
        )

    def inverse(self) -> "Affine":
        """The map back; scales are never zero."""
        return Affine(
            scale_x=1.0 / self.scale_x,
            shift_x=-self.shift_x / self.scale_x,
            scale_y=1.0 / self.scale_y,
            shift_y=-self.shift_y / self.scale_y,
        )

    def matrix(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """The same map as the 2x3 matrix [[a, 0, c], [0, e, f]] that image libraries and viewers take."""
        return (self.scale_x, 0.0, self.shift_x), (0.0, self.scale_y, self.shift_y)


IDENTITY = Affine()
"""The map that leaves every point where it is."""


def resize(from_width: int, from_height: int, to_width: int, to_height: int) -> Affine:
    """The map from a resized grid back to the grid it was resized from.

    Edges coincide, not the centres of corner pixels: that is how area averaging resizes.
    """
    scale_x, scale_y = from_width / to_width, from_height / to_height
    return Affine(scale_x, (scale_x - 1) / 2, scale_y, (scale_y - 1) / 2)


def canvas(rows: int, columns: int, long_edge: float) -> tuple[int, int]:
    """The (height, width) of a picture whose longer edge has `long_edge` pixels, the source's own size at most."""
    factor = min(1.0, long_edge / max(rows, columns))
    return max(1, round(rows * factor)), max(1, round(columns * factor))


def max_halvings(rows: int, columns: int, min_size: tuple[int, int]) -> int:
    """How often a grid can be halved and still have `min_size` rows and columns; 0 for one that has not."""
    return max(0, math.floor(math.log2(min(rows / min_size[0], columns / min_size[1]))))


def flip(width: int) -> Affine:
    """The map between an image of that width and its mirror image; its own inverse."""
    return Affine(scale_x=-1.0, shift_x=width - 1.0)


def shift(x: float, y: float) -> Affine:
    """The map that adds (x, y)."""
    return Affine(shift_x=x, shift_y=y)


def interpolate(
    values: NDArray[np.float32], to_cell: Affine, shape: tuple[int, int]
) -> NDArray[np.float32]:
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
