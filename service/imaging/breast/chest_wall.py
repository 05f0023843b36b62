"""The side of the chest wall, from the outline of the breast, and whether it is seen at all."""

from dataclasses import dataclass

import numpy as np

from service.records import Floats, Mask, QualityWarning, Side

ROTATED = QualityWarning(
    "rotated",
    "The breast ends straight at the top or at the bottom of the image, as if the image had been "
    "rotated by 90 degrees. It was not turned back.",
)
UNSEEN = QualityWarning(
    "chest-wall-unseen",
    "The image shows no chest wall: the breast ends straight on neither side, or on both. The side "
    "of the chest wall in the answer is a guess.",
)

# Share of the breast's width or height: the columns or rows at either end that are compared.
_BRIM = 0.02
# Min straightness of an end at a chest wall, and by how much the other end must be less straight.
_MIN_STRAIGHT = 0.7
_MIN_DIFFERENCE = 0.1
# A rotated breast ends straighter at its top or bottom than on either side, by this much.
_MIN_ROTATION = 0.2


@dataclass(frozen=True, slots=True)
class _Ends:
    """Straightness of the breast's two ends along an axis, and its lengths across that axis.

    An end is straight, 1, if the breast is as long there as it is overall.
    """

    lengths: Floats
    first: float
    last: float

    @property
    def straightest(self) -> float:
        return max(self.first, self.last)


def chest_wall(breast: Mask) -> Side:
    """Return the side of the chest wall: the breast ends straight there, and most of it lies there.

    Two measures are added. Where the picture cuts a large breast off on both sides, the centre of
    mass says little. On an oblique film, the straight edge says little.
    """
    ends = _ends(breast)

    # Centre of mass: 1 at the left end, -1 at the right end.
    mass = 1 - 2 * np.average(np.linspace(0, 1, ends.lengths.size), weights=ends.lengths)
    return "left" if ends.first - ends.last + mass >= 0 else "right"


def chest_wall_warnings(breast: Mask) -> tuple[QualityWarning, ...]:
    """Return the warning that the picture is rotated, or that it shows no chest wall."""
    sides = _ends(breast)
    top_and_bottom = _ends(breast.T)

    straightest = top_and_bottom.straightest
    if straightest >= max(_MIN_STRAIGHT, sides.straightest + _MIN_ROTATION):
        return (ROTATED,)

    is_seen = (
        sides.straightest >= _MIN_STRAIGHT and abs(sides.first - sides.last) >= _MIN_DIFFERENCE
    )
    return () if is_seen else (UNSEEN,)


def _ends(breast: Mask) -> _Ends:
    """Measure the left and the right end. Of the transposed mask: the upper and the lower end."""
    # Height of the breast in each column, as a share of its overall height.
    (columns,) = np.nonzero(breast.any(axis=0))
    heights = breast[:, columns[0] : columns[-1] + 1].sum(axis=0) / breast.any(axis=1).sum()

    brim = max(1, round(_BRIM * heights.size))
    return _Ends(heights, float(heights[:brim].mean()), float(heights[-brim:].mean()))
