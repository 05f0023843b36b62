"""The body of the breast: its bright part, from which the outline starts."""

from collections.abc import Iterator

import cv2
import numpy as np

from service.imaging.breast import morphology
from service.imaging.breast.outline_grid import EVERY_SECOND
from service.records import Floats, Mask

# Share of white, on the scale of square roots: implants glare.
_GLARE = 0.95
# Same scale: min brightness above air of the tissue around an implant. Fog is dimmer.
_MIN_TISSUE_CONTRAST = 0.3
# Fat around dense gland: its min brightness, relative to gland (film fog is darker), and its min
# area, relative to the picture (a dim periphery is narrower).
_MIN_FAT_BRIGHTNESS = 0.45
_MIN_FAT_AREA = 0.25
# Share of the picture: min area of the tissue around an implant.
_MIN_AREA = 0.02
# Lower thresholds are tried this many times, if they are above the noise of black air.
_MAX_DIMMER = 3
_MIN_THRESHOLD = 8


def body_of(grey: Floats, blurred: Floats) -> Mask:
    """Return the largest region above Otsu's threshold, or above a lower one.

    The lower threshold is Otsu's of the darker rest. It is used if the rest is not all air: the
    region above the first threshold is then only the implant or the gland of a breast.
    """
    threshold = _otsu(grey)
    body = morphology.thick_region(blurred > threshold)

    # Split the rest into its dim and its dark pixels.
    sample = grey[EVERY_SECOND]
    rest = sample[sample <= threshold]
    lower_threshold = _otsu(rest)
    dim = rest[rest > lower_threshold]
    dark = rest[rest <= lower_threshold]
    if not body[EVERY_SECOND].any() or not dim.size:
        return body

    # Decide whether the dim pixels are tissue: around a glaring implant, or fat around gland.
    level = np.median(sample[body[EVERY_SECOND]])
    if level >= 255 * _GLARE:
        is_tissue = (
            dark.size > 0
            and dim.mean() - dark.mean() >= 255 * _MIN_TISSUE_CONTRAST
            and dim.size >= _MIN_AREA * sample.size
        )
    else:
        is_tissue = (
            dim.mean() >= _MIN_FAT_BRIGHTNESS * level and dim.size >= _MIN_FAT_AREA * sample.size
        )
    return morphology.thick_region(blurred > lower_threshold) if is_tissue else body


def dimmer_bodies(grey: Floats, blurred: Floats) -> Iterator[Mask]:
    """Yield the regions above ever lower thresholds: Otsu's of the darker rest."""
    sample = grey[EVERY_SECOND]
    threshold = _otsu(grey)
    for _ in range(_MAX_DIMMER):
        rest = sample[sample <= threshold]
        if not rest.size:
            return
        threshold = _otsu(rest)
        if threshold <= _MIN_THRESHOLD:
            return
        yield morphology.thick_region(blurred > threshold)


def _otsu(grey: Floats) -> float:
    whole = np.rint(grey).astype(np.uint8)
    return cv2.threshold(whole, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0]
