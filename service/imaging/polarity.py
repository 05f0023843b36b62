"""Detection of negatives (black and white exchanged) from the pixels alone."""

import cv2
import numpy as np

from service.imaging.grey_counts import count_values, percentile
from service.records import WHITE, Mask, Pixels, QualityWarning

INVERTED = QualityWarning(
    "inverted",
    "The air around the breast is white. The image was treated as a negative, and its grey values "
    "were inverted.",
)

# Max long edge of the view of the pixels that is examined.
_LONG_EDGE = 640
# Percentiles of the grey values that count as the ends of the range: markers may lie beyond.
_ENDS = (0.5, 99.5)
# Share of the range: values this near to an end count as black or white.
_TOLERANCE = 0.05
# Share of the short edge: width of the rim beside the sides of the image and beside padding.
_STRIP = 1 / 80
# Share of the range: a rim of air is this near to an end, a rim of tissue mostly is not.
_AIR = 0.1


def is_negative(grey: Pixels, padding: Mask | None = None) -> bool:
    """Return whether the air around the breast is white.

    At least two of the four sides of a mammogram are air, which is black in a positive. `padding`:
    pixels that fill up the image. They may replace all of the air. In that case the pixels beside
    them are the skin, which is the darkest part of the breast in a positive.
    """
    # A view of every few pixels, its range of grey values scaled to 0..1.
    step = max(1, max(grey.shape) // _LONG_EDGE)
    view = grey[::step, ::step]
    kept = np.ones(view.shape, bool) if padding is None else ~padding[::step, ::step]
    if not kept.any():
        return False
    counts = count_values(view if padding is None else view[kept])
    black, white = (percentile(counts, end) for end in _ENDS)
    unit = (np.arange(WHITE + 1) - black) / max(white - black, 1)

    # Air along the rim: it is bright, and more pixels are white than black.
    width = max(1, round(_STRIP * min(view.shape)))
    level = float(np.median(unit[view[_rim(kept, width)]]))
    if kept.all() or not _AIR < level < 1 - _AIR:
        white_count = counts[unit >= 1 - _TOLERANCE].sum()
        black_count = counts[unit <= _TOLERANCE].sum()
        return bool(level > 1 / 2 and white_count > black_count)

    # No air along the rim, because padding replaces it: the outermost pixels are skin.
    return float(np.median(unit[view[_rim(kept, 1)]])) > 1 / 2


def _rim(kept: Mask, width: int) -> Mask:
    """Return the mask of the kept pixels that near to a side of the image or to other pixels."""
    inner = cv2.erode(
        kept.astype(np.uint8),
        np.ones((2 * width + 1, 2 * width + 1)),
        borderType=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    return np.asarray(kept & (inner == 0), bool)
