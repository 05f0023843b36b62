"""Constant borders of a picture: margins that programs add around an image, in any grey.

A border as dark as the darkest pixel is removed at every edge. A border of another grey is removed
only if at least two edges have one, because a saturated chest wall may lie along one edge.
"""

import numpy as np

from service.errors import NoBreast
from service.records import Box, Pixels


def within_border(pixels: Pixels) -> Box:
    """Return the box that remains when constant rows and columns are removed at the edges.

    Raises:
        NoBreast: nothing is left.
    """
    height, width = pixels.shape
    box = Box(0, 0, width, height)

    # The darkest grey first, in one step.
    constant = _constant_edges(pixels)
    if any(constant):
        box = _without_darkest(pixels)
        constant = _constant_edges(crop(pixels, box))

    # Other greys by one row or column at a time: such borders are mostly narrow, and a border may
    # lie within a border.
    has_border = sum(constant) > 1
    while has_border and any(constant):
        left, top, right, bottom = constant
        box = Box(box.left + left, box.top + top, box.right - right, box.bottom - bottom)
        constant = _constant_edges(crop(pixels, box))

    if not crop(pixels, box).size:
        raise NoBreast("No breast was found: all pixels have the same grey value.")
    return box


def crop(pixels: Pixels, box: Box) -> Pixels:
    """Return a view of the pixels in the box."""
    return pixels[box.top : box.bottom, box.left : box.right]


def _constant_edges(content: Pixels) -> tuple[bool, bool, bool, bool]:
    """Tell for the left, top, right and bottom edge whether it has one grey value.

    All four are False if the content is empty.
    """
    if not content.size:
        return False, False, False, False
    return (
        _is_constant(content[:, 0]),
        _is_constant(content[0]),
        _is_constant(content[:, -1]),
        _is_constant(content[-1]),
    )


def _is_constant(line: Pixels) -> bool:
    return bool((line == line[0]).all())


def _without_darkest(pixels: Pixels) -> Box:
    """Return the bounding box of the pixels brighter than the darkest one. It may be empty."""
    darkest = pixels.min()
    (rows,) = np.nonzero(pixels.max(axis=1) > darkest)
    (columns,) = np.nonzero(pixels.max(axis=0) > darkest)

    if not rows.size:
        return Box(0, 0, 0, 0)
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
