"""Regions of heat as a map of numbered pixels in the matrix of the source."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from service.records import HeatRegion

MAX_REGIONS = 16
"""Of an image in one object. Those with the most heat come first."""

_SUBPIXEL_BITS = 4
# OpenCV counts the shifted coordinates in 32 bits.
_MAX_COORDINATE = 2**16


def strongest(regions: Sequence[HeatRegion]) -> list[HeatRegion]:
    """Return the regions with the most heat, at most MAX_REGIONS."""
    return sorted(regions, key=lambda region: -region.heat_share)[:MAX_REGIONS]


def label_map(regions: Sequence[HeatRegion], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return uint8 `shape` with the number of the region of each pixel, from 1, elsewhere 0.

    Regions do not overlap. A region in the hole of another one is drawn after it.
    """
    labels = np.zeros(shape, np.uint8)
    order = sorted(range(len(regions)), key=lambda index: -regions[index].area)
    for index in order:
        points = np.array(regions[index].contour, np.float64)
        bounded = points.clip(-_MAX_COORDINATE, _MAX_COORDINATE)
        fixed = np.rint(bounded * 2**_SUBPIXEL_BITS).astype(np.int32)
        cv2.fillPoly(labels, [fixed], [index + 1], shift=_SUBPIXEL_BITS)
    return labels
