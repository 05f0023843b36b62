"""Lookup tables from heat to colour."""

from enum import StrEnum
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.uint8]


class Colormap(StrEnum):
    """The available colour scales. All except turbo and jet are perceptually uniform."""

    INFERNO = "inferno"
    MAGMA = "magma"
    PLASMA = "plasma"
    VIRIDIS = "viridis"
    CIVIDIS = "cividis"
    TURBO = "turbo"
    JET = "jet"
    GRAY = "gray"


@cache
def table(colormap: Colormap) -> Table:
    """Return the RGB colours [256, 3] of a colormap, from cold to hot."""
    ramp = np.arange(256, dtype=np.uint8)
    if colormap is Colormap.GRAY:
        return np.repeat(ramp[:, None], 3, axis=1)

    bgr = cv2.applyColorMap(ramp[:, None], getattr(cv2, f"COLORMAP_{colormap.name}"))
    return np.ascontiguousarray(bgr[:, 0, ::-1], dtype=np.uint8)
