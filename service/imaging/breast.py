"""Where the breast is in a mammogram, from its pixels alone: digital or film, with markers, labels and film edges.

Two passes. Otsu's threshold (IEEE Trans. SMC 9, 1979) on square roots of the grey values finds the body of the breast,
but cuts off its dim periphery. So the outline is drawn again, at a threshold between that body and the air right around
it, whatever that is: black in a digital image; on a film a fog that is not the same everywhere.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from service.errors import NoBreast
from service.results import Mask, Pixels

_LONG_EDGE = 512  # of the grid the outline is drawn on: some 0.5 mm to a pixel
_PERIPHERY = 0.2  # the outline's threshold, as a share of the way from the air to the body
_LEAST_AREA = 0.02  # of the picture
_MOST_AREA = 0.99  # beyond it no outline is to be seen
_LEAST_FILL = 0.3  # of its bounding box: half an ellipse fills 0.79, a line of text much less
_LEAST_CONTRAST = 3.0  # between breast and air, in standard deviations of the noise

_Grey = NDArray[np.uint8]


def find_breast(pixels: Pixels) -> Mask:
    """The breast, chest muscle included, on the picture's grid reduced to at most 512 pixels along its long edge.

    Raises:
        NoBreast: nothing in the picture stands out from a background as one large compact region.
    """
    grey = _reduce(pixels)
    otsu, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    body = _largest_region(grey, otsu)
    air = _surroundings(body)
    if not body.any() or not air.any():
        raise NoBreast("No breast was found: nothing stands out from a background.")
    level_body, level_air = np.median(grey[body]), np.median(grey[air])
    breast = _largest_region(grey, level_air + _PERIPHERY * (level_body - level_air))
    _require_plausible(grey, breast)
    return breast


def grow(mask: Mask, share: float) -> Mask:
    """The mask and what is within that share of its grid's long edge of it."""
    reach = 2 * round(share * max(mask.shape)) + 1
    return cv2.dilate(mask.astype(np.uint8), np.ones((reach, reach), np.uint8)).astype(bool)


def _reduce(pixels: Pixels) -> _Grey:
    """Square roots of the grey values, 0 for the darkest .. 255 for the brightest but the last 0.5 %."""
    long_edge = max(pixels.shape)
    scale = min(1.0, _LONG_EDGE / long_edge)
    rows, columns = (max(1, round(edge * scale)) for edge in pixels.shape)
    step = max(1, long_edge // (2 * _LONG_EDGE))  # of a large picture, every few pixels are enough
    sample = np.ascontiguousarray(pixels[step // 2 :: step, step // 2 :: step])
    small = cv2.resize(sample, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    black, white = small.min(), np.percentile(small, 99.5)
    unit = np.clip((small - black) / max(white - black, 1), 0, 1)
    grey: _Grey = np.rint(255 * np.sqrt(unit)).astype(np.uint8)
    return grey


def _largest_region(grey: _Grey, threshold: float) -> Mask:
    """The largest connected region above the threshold, without thin appendages such as labels, and without holes."""
    bright = (cv2.GaussianBlur(grey, (5, 5), 0) > threshold).astype(np.uint8)
    width = 2 * (max(grey.shape) // 96) + 1
    opened = cv2.morphologyEx(bright, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)))
    outlines, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    region = np.zeros_like(opened)
    if outlines:
        cv2.drawContours(region, [max(outlines, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return region.astype(bool)


def _surroundings(region: Mask) -> Mask:
    """A band around the region, at a distance that leaves out its own edge."""
    return grow(region, 0.1) & ~grow(region, 0.03)


def _require_plausible(grey: _Grey, breast: Mask) -> None:
    area = breast.mean()
    if not _LEAST_AREA <= area <= _MOST_AREA:
        raise NoBreast("No breast was found: the only bright region is too small, or fills the whole image.")
    rows, columns = np.flatnonzero(breast.any(axis=1)), np.flatnonzero(breast.any(axis=0))
    if breast.sum() < _LEAST_FILL * (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1):
        raise NoBreast("No breast was found: the brightest region has not the shape of one.")
    noise = np.std(grey - cv2.GaussianBlur(grey, (5, 5), 0).astype(np.float32))
    if grey[breast].mean() - grey[~breast].mean() < _LEAST_CONTRAST * noise:
        raise NoBreast("No breast was found: the image is mostly noise.")
