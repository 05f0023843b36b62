"""Grids of cells over the pixels of a network's input: their arithmetic.

It is that of Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks",
Distill 2019. Padding "same" is TensorFlow's: the minimum that gives ceil(cells / stride) cells,
with an odd cell added at the bottom and right.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a grid of cells.

    Each of its `cells` sees `size` input pixels. Neighbours are `stride` pixels apart, and the
    first cell sees from pixel `start` on. `shift`: pixels from the middle of a cell's field to the
    cell's centre, where branches with fields about other centres have been joined.
    """

    cells: int
    size: int = 1
    stride: int = 1
    start: int = 0
    shift: float = 0.0

    @property
    def centre(self) -> float:
        """The centre of the first cell, in input pixels."""
        return self.start + (self.size - 1) / 2 + self.shift

    @property
    def extent(self) -> int:
        """The pixels about the centre of a cell that hold all of its field."""
        return math.ceil(self.size + 2 * abs(self.shift))

    def padded(self, before: int, after: int) -> "Axis":
        """Return the axis with cells added at both ends, or cut off where a number is negative."""
        return replace(
            self, cells=self.cells + before + after, start=self.start - before * self.stride
        )

    def slid_over(self, extent: int, step: int) -> "Axis":
        """Return the axis after a window of `extent` cells that moves by `step` inside the grid."""
        return replace(
            self,
            cells=(self.cells - extent) // step + 1,
            size=self.size + (extent - 1) * self.stride,
            stride=self.stride * step,
        )

    def windowed(self, extent: int, step: int, padding: str) -> "Axis":
        """Return the axis after a window of `extent` cells with the padding "valid" or "same"."""
        if padding == "valid":
            return self.slid_over(extent, step)

        cells = -(-self.cells // step)
        missing = max((cells - 1) * step + extent - self.cells, 0)
        return self.padded(missing // 2, missing - missing // 2).slid_over(extent, step)


def joined(axes: Sequence[Axis]) -> Axis:
    """Return the axis whose cells see the union of the fields of the axes' cells.

    Its cells are centred on the mean of their centres. A pooling of 3 cells and a convolution of
    one, both with strides of 2 and the padding "same", are a cell apart, for example. The middle of
    the union is that of the larger field, although the cells depend on both branches alike.
    """
    start = min(axis.start for axis in axes)
    size = max(axis.start + axis.size for axis in axes) - start
    centre = sum(axis.centre for axis in axes) / len(axes)

    return replace(axes[0], size=size, start=start, shift=centre - start - (size - 1) / 2)


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of a tensor [N, h, w, c] and the input pixels that they see."""

    rows: Axis
    columns: Axis

    @property
    def shape(self) -> tuple[int, int]:
        """The number of rows and columns."""
        return self.rows.cells, self.columns.cells

    def windowed(self, size: Any, strides: Any, dilation: Any, padding: str) -> "Grid":
        """Return the grid after a convolution or pooling."""
        axes = zip((self.rows, self.columns), size, strides, dilation, strict=True)
        return Grid(
            *(
                axis.windowed((length - 1) * gap + 1, step, padding)
                for axis, length, step, gap in axes
            )
        )
