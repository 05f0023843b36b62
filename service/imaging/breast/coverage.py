"""Edges of the breast below a pixel of the grid on which its outline is drawn."""

import cv2
import numpy as np

from service.imaging.breast.placed_picture import Extent
from service.records import Floats, Mask

# Shares of the breast's area beyond two lines. The edge is extrapolated from both.
_AREAS = (0.002, 0.008)
# Near the tip of a rounded outline, the area grows with the distance to the power of 3/2. So the
# second line is this many times as far from the edge as the first one.
_RATIO = (_AREAS[1] / _AREAS[0]) ** (2 / 3)
_MIN_SLOPE = 1e-3  # grey values per pixel


def cover(breast: Mask, grey: Floats, threshold: float) -> Floats:
    """Return the share of each pixel that the breast covers, 0..1.

    Only pixels at the edge of the mask are covered in part. Their share follows from the distance
    to the line where the grey value is the threshold: the difference from it, over the slope.
    """
    # The pixels at the edge of the mask.
    binary = breast.astype(np.uint8)
    element = np.ones((3, 3), np.uint8)
    edge = np.nonzero(cv2.dilate(binary, element) != cv2.erode(binary, element))

    # The distance of each from the line.
    slope_x = cv2.Scharr(grey, cv2.CV_32F, 1, 0, scale=1 / 32)[edge]
    slope_y = cv2.Scharr(grey, cv2.CV_32F, 0, 1, scale=1 / 32)[edge]
    distance = (grey[edge] - threshold) / np.maximum(np.hypot(slope_x, slope_y), _MIN_SLOPE)

    # The middle of a pixel in the mask is covered, that of any other pixel is not.
    is_inside = breast[edge]
    covered = breast.astype(np.float32)
    covered[edge] = np.clip(distance + 0.5, 0.5 * is_inside, 0.5 + 0.5 * is_inside)
    return covered


def edges(coverage: Floats) -> Extent:
    """Return the edges of the breast on the grid of its coverage.

    An edge does not follow single pixels. It is extrapolated from two lines that cut off 0.2 % and
    0.8 % of the breast's area.
    """
    top, bottom = _ends(coverage.sum(axis=1, dtype=np.float64))
    left, right = _ends(coverage.sum(axis=0, dtype=np.float64))
    return Extent(left, top, right, bottom)


def _ends(profile: np.ndarray) -> tuple[float, float]:
    """Return both ends of the breast along an axis. `profile`: its area in each row or column."""
    first = _first_edge(profile)
    last = profile.size - 1 - _first_edge(profile[::-1])
    return first, last


def _first_edge(profile: np.ndarray) -> float:
    """Return the first end along an axis."""
    # The area up to the far edge of each pixel.
    area = np.concatenate([[0.0], profile.cumsum()])
    position = np.arange(area.size) - 0.5

    near, far = np.interp(np.array(_AREAS) * area[-1], area, position)
    return float(near - (far - near) / (_RATIO - 1))
