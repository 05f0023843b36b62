"""Axis-aligned affine maps between pixel grids, and interpolation between two grids.

Crop, flip, resize, pad and receptive field are all such maps.

Coordinates are (x, y) = (column, row) of pixel *centres*: the centre of the top-left pixel is
(0, 0), and the image spans -0.5 .. columns - 0.5.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Affine:
    """The map x' = scale_x * x + shift_x, y' = scale_y * y + shift_y.

    A negative scale is a flip. Scales are never zero.
    """

    scale_x: float = 1.0
    shift_x: float = 0.0
    scale_y: float = 1.0
    shift_y: float = 0.0

    def apply(self, x: float, y: float) -> tuple[float, float]:
        """Map the point (x, y) to (x', y')."""
        return self.scale_x * x + self.shift_x, self.scale_y * y + self.shift_y

    def then(self, after: "Affine") -> "Affine":
        """Return the map that applies this one first and `after` second."""
        return Affine(
            scale_x=after.scale_x * self.scale_x,
            shift_x=after.scale_x * self.shift_x + after.shift_x,
            scale_y=after.scale_y * self.scale_y,
            shift_y=after.scale_y * self.shift_y + after.shift_y,
        )

    def inverse(self) -> "Affine":
        """Return the map back."""
        return Affine(
            scale_x=1.0 / self.scale_x,
            shift_x=-self.shift_x / self.scale_x,
            scale_y=1.0 / self.scale_y,
            shift_y=-self.shift_y / self.scale_y,
        )

    def matrix(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Return the map as a 2x3 matrix [[a, 0, c], [0, e, f]], as image libraries take it."""
        return (self.scale_x, 0.0, self.shift_x), (0.0, self.scale_y, self.shift_y)


IDENTITY = Affine()
"""The map that leaves every point where it is."""


def resize(from_width: int, from_height: int, to_width: int, to_height: int) -> Affine:
    """Return the map from a resized grid back to the original grid.

    The edges of the grids coincide, not the centres of their corner pixels, as in area averaging.
    """
    scale_x = from_width / to_width
    scale_y = from_height / to_height
    return Affine(scale_x, (scale_x - 1) / 2, scale_y, (scale_y - 1) / 2)


def canvas(rows: int, columns: int, long_edge: float) -> tuple[int, int]:
    """Return the (height, width) of a picture of the source with that longer edge, in pixels.

    The picture keeps the aspect ratio and is never larger than the source.
    """
    factor = min(1.0, long_edge / max(rows, columns))
    return max(1, round(rows * factor)), max(1, round(columns * factor))


def max_halvings(rows: int, columns: int, min_size: tuple[float, float]) -> int:
    """Return how often a grid can be halved and still have `min_size` (rows, columns).

    A grid that is smaller to begin with gives 0.
    """
    return max(0, math.floor(math.log2(min(rows / min_size[0], columns / min_size[1]))))


def flip(width: int) -> Affine:
    """Return the map between an image of that width and its mirror image, in either direction."""
    return Affine(scale_x=-1.0, shift_x=width - 1.0)


def shift(x: float, y: float) -> Affine:
    """Return the map that adds (x, y)."""
    return Affine(shift_x=x, shift_y=y)


def interpolate(
    values: NDArray[np.float32], to_cell: Affine, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Interpolate cells `values` [h, w] at every pixel of a grid of shape [height, width].

    `to_cell`: from pixels to cells. The interpolation is bilinear between cell centres. Beyond the
    outermost centres the value stays constant.
    """
    height, width = shape
    rows, columns = values.shape

    down = linear_weights(to_cell.scale_y, to_cell.shift_y, height, rows)
    across = linear_weights(to_cell.scale_x, to_cell.shift_x, width, columns)
    return np.asarray(down @ values @ across.T, dtype=np.float32)


def linear_weights(scale: float, shift: float, count: int, cells: int) -> NDArray[np.float32]:
    """Return the matrix [count, cells] of linear interpolation along one axis.

    Row p holds the weights of the cells around position scale * p + shift. The map is axis-aligned,
    so one small matrix product per axis does the whole interpolation exactly.
    """
    # Outside the outermost cell centres the value stays constant.
    position = (scale * np.arange(count) + shift).clip(0, cells - 1)
    lower = np.floor(position).astype(int).clip(0, max(cells - 2, 0))
    upper = np.minimum(lower + 1, cells - 1)

    # The lower cell comes last: with a single cell it is also the upper one, and has weight 1.
    weights = np.zeros((count, cells), np.float32)
    rows = np.arange(count)
    weights[rows, upper] = position - lower
    weights[rows, lower] = 1 - (position - lower)
    return weights
