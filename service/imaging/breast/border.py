"""The border of a picture: what programs pad it with, in whatever grey.

Black is cut off wherever it is; another grey only where it lies along two edges at least, as a saturated chest wall may
lie along one.
"""

import numpy as np

from service.errors import NoBreast
from service.records import Box, Pixels


def within_border(pixels: Pixels) -> Box:
    """The smallest box outside of which each row and column, as far as not cut off before, is of one grey value.

    Raises:
        NoBreast: nothing is left.
    """
    height, width = pixels.shape
    box = Box(0, 0, width, height)
    plain = _plain_edges(pixels)
    if any(plain):
        box = _without_darkest(pixels)
        plain = _plain_edges(crop(pixels, box))
    framed = sum(plain) > 1
    while framed and any(plain):  # mostly narrow, and a border may lie within a border
        left, top, right, bottom = plain
        box = Box(box.left + left, box.top + top, box.right - right, box.bottom - bottom)
        plain = _plain_edges(crop(pixels, box))
    if not crop(pixels, box).size:
        raise NoBreast("No breast was found: the image is of one grey value throughout.")
    return box


def crop(pixels: Pixels, box: Box) -> Pixels:
    """The pixels in the box, not copied."""
    return pixels[box.top : box.bottom, box.left : box.right]


def _plain_edges(content: Pixels) -> tuple[bool, bool, bool, bool]:
    """Whether the first column and row and the last column and row are of one grey value; false if there are none."""
    if not content.size:
        return False, False, False, False
    left, top, right, bottom = content[:, 0], content[0], content[:, -1], content[-1]
    return _is_plain(left), _is_plain(top), _is_plain(right), _is_plain(bottom)


def _is_plain(line: Pixels) -> bool:
    return bool((line == line[0]).all())


def _without_darkest(pixels: Pixels) -> Box:
    """The smallest box outside of which all is as dark as the darkest pixel; empty if all is."""
    darkest = pixels.min()
    (rows,), (columns,) = (
        np.nonzero(pixels.max(axis=1) > darkest),
        np.nonzero(pixels.max(axis=0) > darkest),
    )
    if not rows.size:
        return Box(0, 0, 0, 0)
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
