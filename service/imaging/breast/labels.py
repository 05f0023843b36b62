"""Labels, letters and scanner edges that touch the breast on films."""

import cv2
import numpy as np

from service.imaging.breast import morphology
from service.imaging.breast.outline_grid import EVERY_SECOND
from service.records import Floats, Mask

# Share of white, on the scale of square roots: film labels and scanner edges glare.
_GLARE = 0.95
# Shares of the long edge: the max gap between the letters on a label, and the min and max thickness
# of a label. Skin is thinner, an implant thicker.
_LETTER_GAP = 0.017
_MIN_LABEL_THICKNESS = 0.025
_MAX_LABEL_THICKNESS = 0.12
# Shares of the long edge: min length of glaring skin, and max width of a scanner's edge.
_MIN_SKIN_LENGTH = 0.3
_SCANNER_EDGE = 0.05
# Shares of the long edge: the margin of a label, and the width of a notch that a nipple leaves.
_MARGIN = 0.015
_NOTCH = 0.4
# Share of a label that may lie within the breast.
_MAX_IN_BREAST = 0.7
# Share of the bright area: an even breast may glare throughout.
_MAX_LABEL_AREA = 0.25
# Share of white, on the scale of square roots: the surroundings of a label are darker, those of
# glaring tissue are not.
_MAX_DARK = 0.7
# Shares of a label's surroundings that must be dark, and air.
_MIN_DARK_SHARE = 0.8
_MIN_AIR_SHARE = 0.15


def labels_in(grey: Floats, bright: Mask) -> Mask:
    """Return the mask of film labels and scanner edges, with a margin.

    These are regions that glare, thicker than skin and thinner than an implant, with sharp edges
    that lie partly against air.
    """
    coarse = grey[EVERY_SECOND]
    air = ~bright[EVERY_SECOND]

    # Glaring regions: the gaps between letters closed, skin removed.
    closed = morphology.close_gaps(coarse >= 255 * _GLARE, _LETTER_GAP)
    glare = morphology.remove_thin(closed, _MIN_LABEL_THICKNESS).astype(np.uint8)
    thickness = 2 * cv2.distanceTransform(glare, cv2.DIST_L2, 3) / max(coarse.shape)

    # Keep those that are labels by their size, their shape and their surroundings.
    count, components = cv2.connectedComponents(glare)
    wholes = cv2.connectedComponents(closed.astype(np.uint8))[1]
    candidates = [
        component
        for component in (components == index for index in range(1, count))
        if thickness[component].max() <= _MAX_LABEL_THICKNESS
        and component.sum() <= _MAX_LABEL_AREA * (~air).sum()
        and _has_sharp_edge(component, coarse, air)
        and not _is_skin(wholes == wholes[component][0])
    ]
    labels = _without_nipple(candidates, ~air)

    # Back to the full grid.
    return cv2.resize(
        labels.astype(np.uint8), bright.shape[::-1], interpolation=cv2.INTER_NEAREST
    ).astype(bool)


def _is_skin(glare: Mask) -> bool:
    """Tell whether the glaring region runs along the breast, as skin does. It may hold the nipple.

    The edges of a scanner run along the picture instead.
    """
    rows = np.flatnonzero(glare.any(axis=1))
    columns = np.flatnonzero(glare.any(axis=0))
    length = np.hypot(rows[-1] - rows[0], columns[-1] - columns[0])
    if length < _MIN_SKIN_LENGTH * max(glare.shape):
        return False

    rim = np.ones_like(glare)
    width = round(_SCANNER_EDGE * max(glare.shape))
    rim[width:-width, width:-width] = False
    return bool(np.count_nonzero(glare & rim) < np.count_nonzero(glare) / 2)


def _without_nipple(candidates: list[Mask], bright: Mask) -> Mask:
    """Return the candidates with a margin, but for those that lie within the breast.

    A label on the skin lies beyond the breast in part. A glaring nipple or fold of skin fills a
    notch of the breast without it.
    """
    labels = np.zeros_like(bright)
    for component in candidates:
        labels |= morphology.grow(component, _MARGIN)
    if not candidates:
        return labels

    # On every second pixel again, because the notches are wide.
    rest = morphology.thick_region(bright & ~labels)
    breast = _filled(rest[EVERY_SECOND])
    kept = np.zeros_like(bright)
    for component in candidates:
        parts = component[EVERY_SECOND]
        if np.count_nonzero(parts & breast) < _MAX_IN_BREAST * np.count_nonzero(parts):
            kept |= morphology.grow(component, _MARGIN)
    return kept


def _filled(breast: Mask) -> Mask:
    """Fill the notches of the breast, also those at the picture's edge."""
    reach = max(1, round(_NOTCH * max(breast.shape)))
    padded = np.pad(breast, reach, mode="edge")
    width = _NOTCH * max(breast.shape) / max(padded.shape)
    return morphology.close_gaps(padded, width)[reach:-reach, reach:-reach]


def _has_sharp_edge(component: Mask, coarse: Floats, air: Mask) -> bool:
    """Tell whether the surroundings of the component are mostly dark, and partly air."""
    edge = morphology.grow(component, 0.01)
    around = morphology.grow(component, 0.03) & ~edge
    dark = coarse[around] < 255 * _MAX_DARK
    return bool(
        dark.sum() >= _MIN_DARK_SHARE * around.sum()
        and air[around].sum() >= _MIN_AIR_SHARE * around.sum()
    )
