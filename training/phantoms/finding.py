"""Findings of a breast, rendered at their position in a view.

Findings are cancers, or benign look-alikes of similar size and brightness.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from service.records import Floats, Mask
from training.phantoms.anatomy import Anatomy, View
from training.phantoms.calcification import draw_coarse, draw_micro, draw_vascular
from training.phantoms.mass import draw_round, draw_spiculated


class FindingKind(StrEnum):
    """Kind of a finding."""

    SPICULATED_MASS = "spiculated_mass"
    MICROCALCIFICATIONS = "microcalcifications"
    ROUND_MASS = "round_mass"
    COARSE_CALCIFICATIONS = "coarse_calcifications"
    VASCULAR_CALCIFICATIONS = "vascular_calcifications"

    @property
    def malignant(self) -> bool:
        """True for cancers."""
        return self in (FindingKind.SPICULATED_MASS, FindingKind.MICROCALCIFICATIONS)


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of a breast, visible in both views.

    `conspicuity`: 0 subtle .. 1 obvious. `size`: 0 smallest .. 1 largest. `depth`: 0 chest wall
    .. 1 skin. `lateral`, -1 lateral .. 1 medial, is its position in the CC view. `height`,
    -1 upper .. 1 lower, is its position in the MLO view.
    """

    kind: FindingKind
    conspicuity: float = 0.7
    size: float = 0.5
    depth: float = 0.5
    lateral: float = 0.0
    height: float = 0.0


@dataclass(frozen=True, slots=True)
class Lesion:
    """Finding rendered on the matrix of an image.

    `attenuation`: float32 [rows, columns], added to the tissue. `mask`: bool [rows, columns].
    """

    attenuation: Floats
    mask: Mask

    def enlarge(self, breast: Mask) -> "Lesion":
        """Return the finding on the larger matrix of `breast`, cut off at the skin."""
        rows, columns = breast.shape
        attenuation = cv2.resize(self.attenuation, (columns, rows), interpolation=cv2.INTER_LINEAR)
        mask = cv2.resize(
            self.mask.astype(np.uint8), (columns, rows), interpolation=cv2.INTER_NEAREST
        )
        return Lesion(np.asarray(attenuation * breast, np.float32), (mask > 0) & breast)


# Draws a finding of a given conspicuity and size at the points (x, y). Points are relative to its
# centre, in units (see Anatomy).
_Draw = Callable[[np.random.Generator, Floats, Floats, float, float], tuple[Floats, Mask]]

# Drawing function, and the distance from the centre, in units, beyond which it draws nothing.
_DRAWERS: dict[FindingKind, tuple[_Draw, float]] = {
    FindingKind.SPICULATED_MASS: (draw_spiculated, 34.0),
    FindingKind.MICROCALCIFICATIONS: (draw_micro, 20.0),
    FindingKind.ROUND_MASS: (draw_round, 20.0),
    FindingKind.COARSE_CALCIFICATIONS: (draw_coarse, 24.0),
    FindingKind.VASCULAR_CALCIFICATIONS: (draw_vascular, 36.0),
}


def render_finding(
    rng: np.random.Generator, anatomy: Anatomy, view: View, finding: Finding
) -> Lesion:
    """Render the finding at its position in that view, cut off at the skin."""
    draw, reach = _DRAWERS[finding.kind]
    centre_x, centre_y = anatomy.place(
        finding.depth, finding.lateral if view == "CC" else finding.height
    )

    # Only the window around the finding is drawn.
    rows = _window(centre_y, reach * anatomy.unit, anatomy.rows)
    columns = _window(centre_x, reach * anatomy.unit, anatomy.columns)
    y, x = np.mgrid[rows, columns].astype(np.float32)
    x = (x - np.float32(centre_x)) / np.float32(anatomy.unit)
    y = (y - np.float32(centre_y)) / np.float32(anatomy.unit)
    drawn, mask = draw(rng, x, y, finding.conspicuity, finding.size)

    breast = anatomy.breast()
    lesion = Lesion(np.zeros(breast.shape, np.float32), np.zeros(breast.shape, np.bool_))
    lesion.attenuation[rows, columns] = drawn * breast[rows, columns]
    lesion.mask[rows, columns] = mask & breast[rows, columns]
    return lesion


def _window(centre: float, reach: float, end: int) -> slice:
    """Return the slice of indices within `reach` of `centre`, clipped to 0 .. end."""
    return slice(max(0, int(centre - reach)), min(end, int(centre + reach) + 1))
