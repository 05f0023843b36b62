"""The grid on which the breast is outlined, and the grey values on it."""

import cv2
import numpy as np

from service import geometry
from service.geometry import Affine
from service.records import Floats, Pixels

# Max long edge of the grid on which the outline is drawn: some 0.5 mm per pixel.
_LONG_EDGE = 512
# View of every second pixel: enough for large regions and for counting.
EVERY_SECOND = np.s_[::2, ::2]


def reduce(pixels: Pixels) -> tuple[Floats, Affine]:
    """Return the square roots of the grey values on the reduced grid, and the map to the picture's.

    0 is the darkest pixel. 255 is the 99.5th percentile; brighter pixels are clipped.
    """
    long_edge = max(pixels.shape)
    scale = min(1.0, _LONG_EDGE / long_edge)
    rows, columns = (max(1, round(edge * scale)) for edge in pixels.shape)

    # Of a large picture every few pixels are enough.
    step = max(1, long_edge // (2 * _LONG_EDGE))
    sample = np.ascontiguousarray(pixels[step // 2 :: step, step // 2 :: step])
    small = cv2.resize(sample, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)

    black = small.min()
    white = np.percentile(small[EVERY_SECOND], 99.5)
    unit = np.clip((small - black) / max(white - black, 1), 0, 1)
    grey = np.asarray(255 * np.sqrt(unit), np.float32)

    to_sample = geometry.resize(sample.shape[1], sample.shape[0], columns, rows)
    return grey, to_sample.then(Affine(step, step // 2, step, step // 2))


def blur(grey: Floats) -> Floats:
    """Return the grey values without their noise."""
    return np.asarray(cv2.GaussianBlur(grey, (5, 5), 0), np.float32)
