"""An outline around a body of the breast.

1. The outline is drawn at a threshold between the body and the air right around it. The air is
   black in a digital image, and an uneven fog on a film. A threshold that floods the fog is
   recognised by the area that the next higher one would lose.
2. Labels, scanner edges and tape that touch the breast are removed.
3. An axilla behind a fold of skin is added.
"""

from dataclasses import dataclass

import numpy as np

from service.imaging.breast import morphology
from service.imaging.breast.axilla import with_axilla
from service.imaging.breast.doubts import Doubts, doubts_about
from service.imaging.breast.edge_strips import strips_in
from service.imaging.breast.labels import labels_in
from service.imaging.breast.outline_grid import EVERY_SECOND
from service.records import Floats, Mask

# Thresholds of the outline, as shares of the way from the air's grey to the body's grey. The first
# one is used whose outline keeps `_MIN_KEPT` of its area at a threshold that is higher by
# `_THRESHOLD_STEP`.
_OUTLINE_SHARES = (0.2, 0.25, 0.3)
_THRESHOLD_STEP = 0.05
_MIN_KEPT = 0.93


@dataclass(frozen=True, slots=True)
class OutlineDraft:
    """A mask of the breast, the grey values and the threshold that gave it, and its doubts."""

    mask: Mask
    blurred: Floats
    threshold: float
    doubts: Doubts


def draft_around(whole_body: Mask, grey: Floats, blurred: Floats) -> OutlineDraft | None:
    """Draw the outline around a body. Return None if the body or the air around it is empty."""
    # A band of air around the body that leaves out the body's edge.
    sample = grey[EVERY_SECOND]
    body = whole_body[EVERY_SECOND]
    air = morphology.grow(body, 0.1) & ~morphology.grow(body, 0.03)
    if not body.any() or not air.any():
        return None
    levels = float(np.median(sample[air])), float(np.median(sample[body]))

    # Step 1.
    bright, thick, threshold = _above_fog(blurred, levels)
    breast = morphology.largest_region(thick)

    # Step 2. Strips come second, because labels may hide them.
    labels = labels_in(grey, bright)
    if labels.any():
        bright &= ~labels
        thick = morphology.remove_thin(bright)
        breast = morphology.largest_region(thick)
    strips = strips_in(breast)
    if strips.any():
        bright &= ~strips
        thick = morphology.remove_thin(bright)
        breast = morphology.largest_region(thick)

    # Step 3.
    breast = with_axilla(breast, thick, bright)

    doubts = doubts_about(breast, blurred, threshold, levels)
    return OutlineDraft(breast, blurred, threshold, doubts)


def _above_fog(blurred: Floats, levels: tuple[float, float]) -> tuple[Mask, Mask, float]:
    """Return the pixels above the lowest threshold that does not flood fog.

    If every threshold floods fog, the highest one is used. The thick parts of these pixels and the
    threshold are returned, too. `levels`: the grey values of air and body.
    """
    air, body = levels
    for share in _OUTLINE_SHARES:
        threshold = air + share * (body - air)
        bright = blurred > threshold
        thick = morphology.remove_thin(bright)
        outline = morphology.largest_region(thick)

        # At the edge of the breast the grey is steep, and a higher threshold loses little area. In
        # fog it is flat, and the next threshold loses much.
        next_threshold = air + (share + _THRESHOLD_STEP) * (body - air)
        kept = outline & (blurred > next_threshold)
        if np.count_nonzero(kept) > _MIN_KEPT * np.count_nonzero(outline):
            break
    return bright, thick, threshold
