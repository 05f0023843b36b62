"""Morphology on masks. Lengths are shares of the picture's long edge."""

import cv2
import numpy as np

from service.records import Mask

# Share of the long edge: thinner parts, and parts that hang on the breast by a thinner neck, do not
# belong to the breast.
MIN_THICKNESS = 0.021


def grow(mask: Mask, reach: float) -> Mask:
    """Add all pixels within `reach` of the mask (a square neighbourhood)."""
    return _morph(cv2.MORPH_DILATE, mask, 2 * reach, cv2.MORPH_RECT)


def close_gaps(mask: Mask, width: float) -> Mask:
    """Fill the gaps that are narrower than `width`."""
    return _morph(cv2.MORPH_CLOSE, mask, width)


def remove_thin(mask: Mask, width: float = MIN_THICKNESS) -> Mask:
    """Remove the parts that are narrower than `width`. At the border the visible width counts."""
    return _morph(cv2.MORPH_OPEN, mask, width)


def largest_region(mask: Mask) -> Mask:
    """Return the connected region with the largest area, its holes filled. Empty if the mask is."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    region = np.zeros(mask.shape, np.uint8)
    if outlines:
        cv2.drawContours(region, [max(outlines, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return region.astype(bool)


def thick_region(mask: Mask) -> Mask:
    """Return the largest region of the parts that are thick enough to be a breast."""
    return largest_region(remove_thin(mask))


def _morph(operation: int, mask: Mask, width: float, shape: int = cv2.MORPH_ELLIPSE) -> Mask:
    """Apply the operation with an element whose width is an odd number of pixels."""
    pixels = 2 * round(width * max(mask.shape) / 2) + 1
    element = cv2.getStructuringElement(shape, (pixels, pixels))

    # Pixels beyond the picture count as empty: a thin part at the border is thin, too.
    result = cv2.morphologyEx(
        mask.astype(np.uint8), operation, element, borderType=cv2.BORDER_CONSTANT, borderValue=(0,)
    )
    return np.asarray(result, np.bool_)
