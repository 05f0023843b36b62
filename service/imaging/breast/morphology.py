"""Regions of a picture's grid: grown, opened, closed, and the largest of them. Lengths are shares of the long edge."""

import cv2
import numpy as np

from service.records import Mask


def grow(mask: Mask, reach: float) -> Mask:
    """The mask and what is within that reach of it."""
    return _morph(cv2.MORPH_DILATE, mask, 2 * reach, cv2.MORPH_RECT)


def closed(mask: Mask, width: float) -> Mask:
    """The mask without gaps narrower than that."""
    return _morph(cv2.MORPH_CLOSE, mask, width)


def opened(mask: Mask, width: float) -> Mask:
    """The mask without what is narrower than that; a strip along the border is as wide as is seen."""
    return _morph(cv2.MORPH_OPEN, mask, width)


def largest(mask: Mask) -> Mask:
    """The connected region of the mask with the largest area, its holes filled; empty if the mask is."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    region = np.zeros(mask.shape, np.uint8)
    if outlines:
        cv2.drawContours(region, [max(outlines, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return region.astype(bool)


def _morph(operation: int, mask: Mask, width: float, shape: int = cv2.MORPH_ELLIPSE) -> Mask:
    pixels = 2 * round(width * max(mask.shape) / 2) + 1
    element = cv2.getStructuringElement(shape, (pixels, pixels))
    # nothing lies beyond the picture, so that what is thin is so at its border, too
    moved = cv2.morphologyEx(
        mask.astype(np.uint8), operation, element, borderType=cv2.BORDER_CONSTANT, borderValue=(0,)
    )
    return np.asarray(moved, np.bool_)
