"""Read the samples of a file, for display elsewhere, and pack them.

They are packed by libdeflate at its fastest level (`docs/benchmarks.md`).
"""

from dataclasses import dataclass, replace

import cv2
import imagecodecs
import numpy as np
from numpy.typing import NDArray

from service import geometry
from service.imaging.decoding import open_image
from service.imaging.limits import Limits
from service.records import WHITE, Mask, PackedSamples, Pixels, Samples

_LEVEL = 1
_MIN_SHARE = 1e-6  # of kept pixels: without any of them the result is padding


@dataclass(frozen=True, slots=True)
class SamplesTask:
    """The work of reading a file's samples, with that long edge, at most at the file's own size."""

    long_edge: float

    def __call__(self, data: bytes, limits: Limits) -> PackedSamples:
        """Return the samples, packed.

        Raises:
            ImageError: the file is not a readable mammogram.
        """
        samples = _reduce(open_image(data, limits).samples(), self.long_edge)
        rows, columns = samples.values.shape
        content = pack(samples.values)
        return PackedSamples(content, rows, columns, samples.to_source, samples.meaning)


def pack(values: Pixels) -> bytes:
    """Return the values as uint16, little endian, row by row, compressed by gzip."""
    return bytes(imagecodecs.gzip_encode(values.astype("<u2", copy=False).tobytes(), _LEVEL))


def _reduce(samples: Samples, long_edge: float) -> Samples:
    """Return the samples with that long edge: means of the pixels that each one covers."""
    rows, columns = samples.values.shape
    height, width = geometry.canvas(rows, columns, long_edge)
    if (height, width) == (rows, columns):
        return samples

    size = (width, height)
    to_source = geometry.resize(columns, rows, width, height)
    padding = samples.meaning.padding
    values = samples.values
    is_padding = np.zeros(values.shape, bool) if padding is None else _within(values, padding)
    if padding is None or not is_padding.any():
        means = np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.uint16)
        return replace(samples, values=means, to_source=to_source)

    means = _means(values, ~is_padding, size, padding)
    nearest = values[np.ix_(*_nearest((rows, columns), (height, width)))]
    padded = np.where(_within(nearest, padding), nearest, means)
    return replace(samples, values=padded, to_source=to_source)


def _within(values: Pixels, ends: tuple[int, int]) -> Mask:
    """Tell which values lie in a range, ends included."""
    return np.asarray(cv2.inRange(values, ends[0], ends[1]) > 0)


def _nearest(
    shape: tuple[int, int], reduced: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the nearest row and the nearest column of each one of a reduced grid."""
    rows, columns = (
        ((np.arange(count) + 0.5) * whole / count).astype(np.int64)
        for whole, count in zip(shape, reduced, strict=True)
    )
    return rows, columns


def _means(values: Pixels, kept: Mask, size: tuple[int, int], padding: tuple[int, int]) -> Pixels:
    """Return the means of the kept pixels, none of which is a sample of padding."""
    kept_values = np.where(kept, values, 0).astype(np.float32)
    sums = cv2.resize(kept_values, size, interpolation=cv2.INTER_AREA)
    shares = cv2.resize(kept.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    means = np.rint(sums / np.maximum(shares, _MIN_SHARE)).clip(0, WHITE).astype(np.uint16)

    # A mean may lie in the range of the padding if pixels lie on both sides of it.
    outside = np.uint16(min(padding[1] + 1, WHITE))
    return np.where(_within(means, padding), outside, means)
