"""Outline of the breast in a mammogram, from its pixels alone.

It works on digital images and films, with markers, labels and film edges.

1. Otsu's threshold (IEEE Trans. SMC 9, 1979) on the square roots of the grey values gives the body
   of the breast. It cuts off the dim periphery.
2. The outline is drawn again at a threshold between that body and the air right around it. The air
   is black in a digital image, and an uneven fog on a film. A threshold that floods the fog is
   recognised by the area that the next higher one would lose.
3. Labels and scanner edges that touch the breast are removed.
4. The result is checked: its area and shape, its contrast, and whether the air is dark.
"""

from dataclasses import dataclass

import numpy as np

from service.errors import NoBreast
from service.geometry import Affine
from service.imaging.breast import morphology, refusals
from service.imaging.breast.breast_body import body_of
from service.imaging.breast.coverage import cover
from service.imaging.breast.labels import labels_in
from service.imaging.breast.outline_grid import EVERY_SECOND, blur, reduce
from service.records import Floats, Mask, Pixels

# Thresholds of the outline, as shares of the way from the air's grey to the body's grey. The first
# one is used whose outline keeps `_MIN_KEPT` of its area at a threshold that is higher by
# `_THRESHOLD_STEP`.
_OUTLINE_SHARES = (0.2, 0.25, 0.3)
_THRESHOLD_STEP = 0.05
_MIN_KEPT = 0.93


@dataclass(frozen=True, slots=True)
class Outline:
    """The breast in a picture, pectoral muscle included.

    The grid is the picture's, reduced to at most 512 pixels along the long edge. `mask`: the
    breast. `coverage`: share of each pixel that it covers, 0..1. `to_picture`: from this grid to
    the picture's.
    """

    mask: Mask
    coverage: Floats
    to_picture: Affine


def find_breast(pixels: Pixels, displayed: Pixels | None = None) -> Outline:
    """Return the outline of the breast.

    `displayed`: the picture after the VOI transform, if `pixels` are before it. Only the texture of
    the air is judged on it: before a sigmoid window, the noise of the air is amplified.

    Raises:
        NoBreast: no large compact region stands out from a dark background.
    """
    grey, to_picture = reduce(pixels)
    blurred = blur(grey)

    # Step 1: the body of the breast, and a band of air around it that leaves out the body's edge.
    sample = grey[EVERY_SECOND]
    body = body_of(grey, blurred)[EVERY_SECOND]
    air = morphology.grow(body, 0.1) & ~morphology.grow(body, 0.03)
    if not body.any() or not air.any():
        raise NoBreast("No breast was found: no region stands out from the background.")

    # Steps 2 and 3: the outline between body and air, without labels.
    air_level = float(np.median(sample[air]))
    body_level = float(np.median(sample[body]))
    breast, threshold = _outline(grey, blurred, air_level, body_level)

    # Step 4: checks.
    refusals.require_shape(breast)
    refusals.require_contrast(grey, blurred, breast)
    refusals.require_dark_air(grey if displayed is None else reduce(displayed)[0], breast)

    return Outline(breast, cover(breast, blurred, threshold), to_picture)


def _outline(
    grey: Floats, blurred: Floats, air_level: float, body_level: float
) -> tuple[Mask, float]:
    """Return the largest region above the lowest threshold that does not flood fog, without labels.

    If every threshold floods fog, the highest one is used. The threshold is returned, too.
    """
    for share in _OUTLINE_SHARES:
        threshold = air_level + share * (body_level - air_level)
        bright = blurred > threshold
        outline = morphology.thick_region(bright)

        # At the edge of the breast the grey is steep, and a higher threshold loses little area. In
        # fog it is flat, and the next threshold loses much.
        next_share = share + _THRESHOLD_STEP
        kept = outline & (blurred > air_level + next_share * (body_level - air_level))
        if np.count_nonzero(kept) > _MIN_KEPT * np.count_nonzero(outline):
            break

    labels = labels_in(grey, bright)
    return (morphology.thick_region(bright & ~labels) if labels.any() else outline), threshold
