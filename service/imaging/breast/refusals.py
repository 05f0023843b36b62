"""Reasons to refuse an outline: it is no breast, or the picture is inverted."""

import cv2
import numpy as np

from service.errors import NoBreast
from service.imaging.breast import morphology
from service.imaging.breast.outline_grid import EVERY_SECOND
from service.records import Floats, Mask

# Shares of the picture. Above the maximum no outline is visible.
_MIN_AREA = 0.02
_MAX_AREA = 0.99
# Share of the bounding box: half an ellipse fills 0.79, a line of text much less.
_MIN_FILL = 0.3
# Difference between breast and air, in standard deviations of the noise.
_MIN_CONTRAST = 3.0
# Percentile of the texture at which breast and air are compared. Lower percentiles would meet
# smooth implants, higher ones markers.
_TEXTURE_PERCENTILE = 70


def require_shape(breast: Mask) -> None:
    """Raise NoBreast if the region is too small, too large or too sparse."""
    if not _MIN_AREA <= breast.mean() <= _MAX_AREA:
        raise NoBreast(
            "No breast was found: the only bright region is too small, or fills the whole image."
        )

    rows = np.flatnonzero(breast.any(axis=1))
    columns = np.flatnonzero(breast.any(axis=0))
    if breast.sum() < _MIN_FILL * (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1):
        raise NoBreast("No breast was found: the bright region is not shaped like a breast.")


def require_contrast(grey: Floats, blurred: Floats, breast: Mask) -> None:
    """Raise NoBreast if the region stands out from the noise too little."""
    noise = np.sqrt(np.mean(np.square(cv2.absdiff(grey, blurred)[EVERY_SECOND], dtype=np.float32)))
    if grey[breast].mean() - grey[~breast].mean() < _MIN_CONTRAST * noise:
        raise NoBreast("No breast was found: the image is mostly noise.")


def require_dark_air(grey: Floats, breast: Mask) -> None:
    """Raise NoBreast if the region is smoother than its surroundings, like a negative's air."""
    # Squares, because the square root amplifies the texture of dark regions.
    light = np.square(grey, dtype=np.float32)
    texture = cv2.absdiff(light, cv2.GaussianBlur(light, (5, 5), 0))[EVERY_SECOND]

    # Compare both sides of the outline, at a distance from it.
    inside = ~morphology.grow(~breast[EVERY_SECOND], 0.015)
    outside = ~morphology.grow(breast[EVERY_SECOND], 0.015)
    if not inside.any() or not outside.any():
        return

    texture_inside = np.percentile(texture[inside], _TEXTURE_PERCENTILE)
    texture_outside = np.percentile(texture[outside], _TEXTURE_PERCENTILE)
    if texture_inside < texture_outside:
        raise NoBreast(
            "No breast was found: the image is inverted. Send the image with a black background."
        )
