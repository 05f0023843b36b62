"""How far an outline can be trusted: signs that it is not the skin of a breast.

The skin is smooth, the air beside it is dark, and it stays where it is when the threshold moves a
little. The edge of gland within fat is ragged. A flood of fog has bright air beside it.
"""

import math
from dataclasses import astuple, dataclass

import cv2
import numpy as np

from service.imaging.breast import morphology
from service.imaging.breast.outline_grid import EVERY_SECOND
from service.records import Floats, Mask, QualityWarning

UNCERTAIN = QualityWarning(
    "outline-uncertain",
    "The outline of the breast is uncertain: it follows no clear skin line, or it fills the image. "
    "Look at the picture before you rely on the result.",
)

# Share of the way from air to body by which the threshold is moved to either side.
_MOVE = 0.1
# Max changes of the area, relative to it.
_MAX_GAIN = 0.16
_MAX_LOSS = 0.085
# Max brightness of the air beside the breast, on the way from the darkest pixels to the body.
_MAX_AIR = 0.21
# Max length of the outline, relative to that of its convex hull.
_MAX_RAGGEDNESS = 1.17
# Share of its box that the outline fills: half an ellipse, and the limit.
_FILL = 0.8
_MAX_FILL = 0.93
# Share of the long edge: size of a corner. Max share of it that the breast covers.
_CORNER = 0.06
_MAX_CORNER = 0.8
_DARKEST = 1  # percentile of the grey values
_SMOOTHING = 1.5  # pixels: details of the outline that do not count


@dataclass(frozen=True, slots=True)
class Doubts:
    """Signs against an outline. Each is 1 at its limit.

    `unstable`: the area changes with the threshold. `bright_air`: the air is not dark. `ragged`:
    the outline is not smooth. `rectangular`: it fills its box. `far_corner`: it reaches into a
    corner opposite to the chest wall, like an arm.
    """

    unstable: float
    bright_air: float
    ragged: float
    rectangular: float
    far_corner: float

    @property
    def of_skin(self) -> float:
        """The strongest sign that the outline is not the skin, however much it fills."""
        return max(self.unstable, self.bright_air, self.ragged)

    @property
    def total(self) -> float:
        """All signs together: several small ones count like a large one."""
        return math.hypot(*astuple(self))

    @property
    def warnings(self) -> tuple[QualityWarning, ...]:
        """The warning that the outline is uncertain, if it is."""
        return (UNCERTAIN,) if self.total > 1 else ()


def doubts_about(
    breast: Mask, blurred: Floats, threshold: float, levels: tuple[float, float]
) -> Doubts:
    """Return the signs against the outline. `levels`: the grey values of air and body."""
    air, body = levels
    grey = blurred[EVERY_SECOND]
    inside = breast[EVERY_SECOND]
    area = np.count_nonzero(inside)
    if not area:
        return Doubts(*5 * (np.inf,))

    # The area at lower and at higher thresholds.
    move = _MOVE * (body - air)
    more = np.count_nonzero((grey > threshold - move) & morphology.grow(inside, 0.06)) / area - 1
    less = 1 - np.count_nonzero((grey > threshold + move) & inside) / area

    # The air beside the breast.
    beside = morphology.grow(inside, 0.1) & ~morphology.grow(inside, 0.03)
    darkest = float(np.percentile(grey[EVERY_SECOND], _DARKEST))
    beside_level = float(np.median(grey[beside])) if beside.any() else darkest

    rows = np.count_nonzero(inside.any(axis=1))
    columns = np.count_nonzero(inside.any(axis=0))
    fill = area / (rows * columns)
    return Doubts(
        unstable=max(more / _MAX_GAIN, less / _MAX_LOSS),
        bright_air=(beside_level - darkest) / max(body - darkest, 1) / _MAX_AIR,
        ragged=max(0, _raggedness(inside) - 1) / (_MAX_RAGGEDNESS - 1),
        rectangular=max(0, fill - _FILL) / (_MAX_FILL - _FILL),
        far_corner=_far_corner(inside) / _MAX_CORNER,
    )


def _raggedness(inside: Mask) -> float:
    """Return the length of the outline, relative to that of its convex hull."""
    outlines, _ = cv2.findContours(
        inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    longest = max(outlines, key=cv2.contourArea)
    smooth = cv2.approxPolyDP(longest, _SMOOTHING, closed=True)
    hull = cv2.convexHull(longest)
    return float(cv2.arcLength(smooth, closed=True) / max(cv2.arcLength(hull, closed=True), 1))


def _far_corner(inside: Mask) -> float:
    """Return the larger share that the breast covers of a corner opposite to its chest wall."""
    size = max(1, round(_CORNER * max(inside.shape)))
    is_left = np.count_nonzero(inside[:, :size]) >= np.count_nonzero(inside[:, -size:])
    far = inside[:, -size:] if is_left else inside[:, :size]
    return float(max(far[:size].mean(), far[-size:].mean()))
