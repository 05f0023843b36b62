"""Lesions as masks: boxes and circles that a set marks, in the pixels of the source image."""

from collections.abc import Iterable

import numpy as np

from service.records import Mask

Box = tuple[float, float, float, float]
"""Left, top, right and bottom edge, in pixels from the top left corner."""

Circle = tuple[float, float, float]
"""Centre x and y, and radius, in pixels from the centre of the top left pixel."""


def fill_boxes(boxes: Iterable[Box], shape: tuple[int, int]) -> Mask:
    """Return the pixels [rows, columns] that a box covers, at least in part."""
    mask = np.zeros(shape, np.bool_)
    for left, top, right, bottom in boxes:
        rows = slice(max(int(np.floor(top)), 0), max(int(np.ceil(bottom)), 0))
        columns = slice(max(int(np.floor(left)), 0), max(int(np.ceil(right)), 0))
        mask[rows, columns] = True

    return mask


def fill_circles(circles: Iterable[Circle], shape: tuple[int, int]) -> Mask:
    """Return the pixels [rows, columns] whose centres lie in a circle."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    mask = np.zeros(shape, np.bool_)
    for x, y, radius in circles:
        mask |= (columns - x) ** 2 + (rows - y) ** 2 <= radius**2

    return mask
