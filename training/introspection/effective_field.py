"""Effective receptive fields: the pixels that move a cell of a layer, their centroid and extent.

Gradients of a cell are averaged over images, as in Luo et al., "Understanding the Effective
Receptive Field in Deep Convolutional Neural Networks", NIPS 2016: their absolute values for the
centroid, their squares for the extent.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from service.records import ConvLayer, EffectiveSize, Floats

# Probed places, as shares of the image: the middle first, then near the edges.
_SHARES = (0.5, 0.25, 0.75)


@dataclass(frozen=True, slots=True)
class Displacement:
    """A cell of a layer, the place where it should be, and the place where it was measured.

    `expected`, `measured`: (x, y) in pixels of the input. `strides`: the distance along the rows or
    along the columns, whichever is larger, in strides of the layer.
    """

    row: int
    column: int
    expected: tuple[float, float]
    measured: tuple[float, float]
    strides: float


class EffectiveField:
    """Measured fields of five cells of a layer: the middle one and the corners of the interior.

    `cells`: their rows and columns, the middle one first. The corners are a quarter of the image
    from its edges: far enough out that a flipped or rotated map shows, and far enough in that the
    edges do not cut most of a field.
    """

    def __init__(self, layer: ConvLayer, height: int, width: int) -> None:
        field = layer.receptive_field
        self._rows = _ProbedAxis(layer.height, field.stride_y, field.offset_y, height)
        self._columns = _ProbedAxis(layer.width, field.stride_x, field.offset_x, width)

        middle, *sides = range(len(_SHARES))
        self._numbers = [(middle, middle), *product(sides, sides)]
        self.cells = [
            (self._rows.cells[row], self._columns.cells[column]) for row, column in self._numbers
        ]
        self._row_sums = np.zeros((len(self.cells), height))
        self._column_sums = np.zeros((len(self.cells), width))

    def add(self, cell: int, gradients: Floats) -> None:
        """Add the absolute or squared gradients [height, width] of one cell in one image.

        Every image counts alike. A gradient that is zero or not finite is left out.
        """
        total = gradients.sum(dtype=np.float64)
        if np.isfinite(total) and total > 0:
            self._row_sums[cell] += gradients.sum(axis=1, dtype=np.float64) / total
            self._column_sums[cell] += gradients.sum(axis=0, dtype=np.float64) / total

    def largest_displacement(self) -> Displacement | None:
        """Return the cell that is farthest from its place. None if the middle one has no field."""
        if not self._row_sums[0].any():
            return None

        displacements = [
            self._displacement(cell)
            for cell in range(len(self.cells))
            if self._row_sums[cell].any()
        ]
        return max(displacements, key=lambda displacement: displacement.strides)

    def effective_size(self) -> EffectiveSize | None:
        """Return the size of the field, the mean over its cells. None if no cell has a field."""
        measured = [cell for cell in range(len(self.cells)) if self._row_sums[cell].any()]
        if not measured:
            return None

        return EffectiveSize(
            height=_even_length([self._row_sums[cell] for cell in measured]),
            width=_even_length([self._column_sums[cell] for cell in measured]),
        )

    def _displacement(self, cell: int) -> Displacement:
        row, column = self._numbers[cell]
        y = self._rows.places[row]
        x = self._columns.places[column]
        off_y = self._rows.distance(row, self._row_sums[cell], self._row_sums[0])
        off_x = self._columns.distance(column, self._column_sums[cell], self._column_sums[0])

        strides = max(abs(off_y) / self._rows.stride, abs(off_x) / self._columns.stride)
        return Displacement(*self.cells[cell], (x, y), (x + off_x, y + off_y), strides)


class _ProbedAxis:
    """One axis: three of its cells, near the shares of the image, and their places in pixels.

    `pixels`: length of the image.
    """

    def __init__(self, cells: int, stride: float, offset: float, pixels: int) -> None:
        centres = offset + stride * np.arange(cells)
        wanted = (pixels - 1) * np.array(_SHARES)

        self.stride = stride
        self.cells = [int(np.abs(centres - place).argmin()) for place in wanted]
        self.places = [float(centres[cell]) for cell in self.cells]

    def distance(self, number: int, field: Floats, middle: Floats) -> float:
        """Return the pixels from the place of cell `number` to the centroid of its `field`.

        `middle`: the field of the middle cell. Both are sums along the axis.

        The edges of the image cut a large field and move its centroid inwards. So the middle cell's
        field is cut to a window that is symmetric about its place. The field of any other cell is
        held against that of the middle cell, moved to the place of the cell and cut in the same
        way. For fields that no edge cuts, both are the plain centroid.
        """
        pixels = np.arange(len(field))
        place = self.places[0]
        room = min(place, len(field) - 1 - place)
        off_middle = _centroid(middle, np.abs(pixels - place) <= room) - place
        if number == 0:
            return off_middle

        shift = round(self.places[number] - place)
        moved = np.roll(middle, shift)
        both = (pixels >= shift) & (pixels < len(field) + shift)
        return off_middle + _centroid(field, both) - _centroid(moved, both)


def _centroid(field: Floats, window: np.ndarray) -> float:
    """Return the centroid of the field within the window, or of all of it if none is inside."""
    weights = field * window
    if not weights.any():
        weights = field
    return float(weights @ np.arange(len(field)) / weights.sum())


def _even_length(fields: Sequence[Floats]) -> float:
    """Return the number of pixels in a row that spread as far as the fields, if all weigh alike.

    The variance of n numbers in a row is (n^2 - 1) / 12. That of the fields is their mean variance,
    each about its own centroid.
    """
    variances = []
    for field in fields:
        pixels = np.arange(len(field))
        centroid = _centroid(field, np.ones_like(pixels))
        variances.append(float(field @ (pixels - centroid) ** 2 / field.sum()))

    return round(math.sqrt(1 + 12 * np.mean(variances)), 1)
