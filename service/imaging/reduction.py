"""Reduction of a picture to a half, a quarter or an eighth of its resolution.

JPEG 2000 files can be decoded at such a resolution. All other files are reduced by the same
filter, so that the same pixels give the same model input in every transfer syntax. It is the
low-pass filter of the reversible wavelet (ISO/IEC 15444-1 F.3.8.2.1.1): columns first, then rows,
with symmetric extension at the edges, in integers. The result equals the decoder's to the bit.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from service.geometry import Affine
from service.records import Integers

# Rows of the result that are computed at a time: they stay in the processor's cache.
_BAND = 64
# Sums of four values must fit.
_MAX_FOR_16_BITS = 2**13


def reduce_resolution(values: Integers, halvings: int, limits: tuple[int, int]) -> Integers:
    """Halve the resolution of values [rows, columns] several times, and clip them to `limits`.

    Pixel (row, column) of the result lies on pixel (row, column) * 2 ** halvings of the original.
    The filter overshoots at edges, therefore the limits: the smallest and the largest value.
    """
    return Pyramid(limits).reduced(values, halvings) if halvings else values


class Pyramid:
    """The reduced resolutions of one picture. Each is computed once.

    `limits`: as in `reduce_resolution`. A lower resolution is computed from the one above before
    that is clipped, so the order of calls changes nothing.
    """

    def __init__(self, limits: tuple[int, int]) -> None:
        self._limits = limits
        self._work = np.int16 if max(map(abs, limits)) < _MAX_FOR_16_BITS else np.int32
        self._levels: list[Integers] = []

    def reduced(self, values: Integers, halvings: int) -> Integers:
        """Return the values at a reduced resolution. They are the same picture in every call."""
        while len(self._levels) < halvings:
            finer = self._levels[-1] if self._levels else values
            self._levels.append(_halve(finer, self._work))

        return self._levels[halvings - 1].clip(*self._limits).astype(values.dtype)


def from_reduced(halvings: int, origin: tuple[int, int] = (0, 0)) -> Affine:
    """Return the map from a reduced grid to the full grid.

    `origin`: (x, y) of the first pixel on JPEG 2000's reference grid, whose even pixels are kept.
    """
    step = 2**halvings
    first_x, first_y = (-start % step for start in origin)
    return Affine(step, first_x, step, first_y)


def _halve(values: Integers, work: type[np.int16 | np.int32]) -> Integers:
    """Return the low-pass half of the values along both axes."""
    rows, columns = values.shape
    height = (rows + 1) // 2
    width = (columns + 1) // 2
    halved = np.empty((height, width), work)

    for top in range(0, height, _BAND):
        bottom = min(top + _BAND, height)

        # Rows 2 top - 2 .. 2 bottom, mirrored at the edges of the picture.
        index = _mirrored(np.arange(2 * top - 2, 2 * bottom + 1), rows)
        block = values[index].astype(work, copy=False)
        low = _low_pass(block[0::2], block[1::2])

        # The same along the rows, as an operation on whole columns.
        after = 2 * width + 2 - columns
        padded = cv2.copyMakeBorder(low, 0, 0, 2, after, cv2.BORDER_REFLECT_101)
        even, odd = cv2.split(padded.reshape(-1, width + 2, 2))
        halved[top:bottom] = _low_pass(even.T, odd.T[:-1]).T
    return halved


def _low_pass(even: NDArray[Any], odd: NDArray[Any]) -> NDArray[Any]:
    """Lift even rows -1 .. n by the odd rows between them. Return the low-pass rows 0 .. n - 1."""
    detail = even[:-1] + even[1:]
    detail >>= 1
    np.subtract(odd, detail, out=detail)

    low: NDArray[Any] = detail[:-1] + detail[1:]
    low += 2
    low >>= 2
    low += even[1:-1]
    return low


def _mirrored(index: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Mirror indices beyond 0 .. count - 1 about the first and the last one."""
    if count == 1:
        return np.zeros_like(index)
    index = np.abs(index)
    return np.where(index >= count, 2 * (count - 1) - index, index)
