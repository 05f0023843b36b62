"""Grids of cells over the pixels of a network's input: their arithmetic.

It is that of Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks",
Distill 2019. Padding "same" is TensorFlow's: the minimum that gives ceil(cells / stride) cells,
with an odd cell added at the bottom and right.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a grid of cells.

    Each of its `cells` sees `size` input pixels. Neighbours are `stride` pixels apart, and the
    first cell sees from pixel `start` on.
    """

    cells: int
    size: int = 1
    stride: int = 1
    start: int = 0

    @property
    def centre(self) -> float:
        """The centre of the first cell's field, in input pixels."""
        return self.start + (self.size - 1) / 2

    def padded(self, before: int, after: int) -> "Axis":
        """Return the axis with cells added at both ends, or cut off where a number is negative."""
        return Axis(
            self.cells + before + after, self.size, self.stride, self.start - before * self.stride
        )

    def slid_over(self, extent: int, step: int) -> "Axis":
        """Return the axis after a window of `extent` cells that moves by `step` inside the grid."""
        return Axis(
            (self.cells - extent) // step + 1,
            self.size + (extent - 1) * self.stride,
            self.stride * step,
            self.start,
        )

    def windowed(self, extent: int, step: int, padding: str) -> "Axis":
        """Return the axis after a window of `extent` cells with the padding "valid" or "same"."""
        if padding == "valid":
            return self.slid_over(extent, step)

        cells = -(-self.cells // step)
        missing = max((cells - 1) * step + extent - self.cells, 0)
        return self.padded(missing // 2, missing - missing // 2).slid_over(extent, step)

    def joined(self, other: "Axis") -> "Axis":
        """Return the axis whose cells see the union of the fields of both axes' cells."""
        start = min(self.start, other.start)
        end = max(self.start + self.size, other.start + other.size)

        return Axis(self.cells, end - start, self.stride, start)


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
