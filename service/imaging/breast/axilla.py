"""The axilla above a breast, where a fold of skin leaves only a narrow neck between both."""

import numpy as np

from service.imaging.breast import morphology
from service.records import Mask

# Share of the breast's area: smaller parts are folds of the belly or the neck.
_MIN_AREA = 0.08
# Shares of the picture's height: the lengths of axilla and breast along the chest wall.
_MIN_LENGTH = 0.08
_MIN_BREAST_LENGTH = 0.16
# Share of the picture's height: the middle of the axilla is at most this far below the upper end of
# the breast.
_MAX_OVERLAP = 0.1
# Share of the long edge: the widest fold that is filled where it is bright.
_FOLD = 2 * morphology.MIN_THICKNESS


def with_axilla(breast: Mask, thick: Mask, bright: Mask) -> Mask:
    """Add a large part above the breast that ends at the same side of the picture.

    `bright`: the pixels above the threshold. `thick`: their thick parts.
    """
    area = np.count_nonzero(breast)
    min_area = _MIN_AREA * area
    if not area or np.count_nonzero(thick) - area < max(1, min_area):
        return breast

    part = morphology.largest_region(thick & ~breast)
    if np.count_nonzero(part) < min_area or not _is_above(part, breast):
        return breast

    # The neck between them is bright, but thin.
    whole = breast | part
    return whole | (morphology.close_gaps(whole, _FOLD) & bright)


def _is_above(part: Mask, breast: Mask) -> bool:
    """Return whether the part lies above the breast, at the same side of the picture."""
    rows = len(breast)
    upper_end = np.flatnonzero(breast.any(axis=1))[0]
    middle = np.nonzero(part)[0].mean()

    at_one_side = any(
        np.count_nonzero(part[:, column]) >= _MIN_LENGTH * rows
        and np.count_nonzero(breast[:, column]) >= _MIN_BREAST_LENGTH * rows
        for column in (0, -1)
    )
    return at_one_side and bool(middle < upper_end + _MAX_OVERLAP * rows)
