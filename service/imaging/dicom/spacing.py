"""Pixel spacing of a projection image, and the plane in which it holds (PS3.3 10.7.1.3).

X-rays diverge. A structure of the breast is larger on the detector by the magnification factor: by
less than 1.1 in contact views, and by 1.5 to 2 in magnification views.
"""

from dataclasses import dataclass

from service.imaging.dicom.elements import Elements
from service.records import SpacingPlane

KEYWORDS = [
    "ImagerPixelSpacing", "PixelSpacing", "PixelSpacingCalibrationType",
    "EstimatedRadiographicMagnificationFactor",
    "DistanceSourceToDetector", "DistanceSourceToPatient",
]  # fmt: skip
"""Elements that are read for the spacing."""

# A larger factor is a mistake, and so is one below 1: the breast would lie behind the detector.
_MAX_MAGNIFICATION = 4.0
_CALIBRATED = {"GEOMETRY": True, "FIDUCIAL": True}

_Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Spacing:
    """Millimetres between rows and between columns, and the plane in which they are measured.

    `plane` is None if the file does not tell.
    """

    millimetres: _Pair
    plane: SpacingPlane | None


def read_spacing(elements: Elements) -> Spacing | None:
    """Return the spacing in the breast if the file tells it, else the one that it has."""
    imager = _pair(elements, "ImagerPixelSpacing")
    pixel = _pair(elements, "PixelSpacing")

    # Pixel Spacing is calibrated if the file says so, or if it differs from that of the detector.
    is_calibrated = elements.term("PixelSpacingCalibrationType", _CALIBRATED)
    if pixel and (is_calibrated or (imager and imager != pixel)):
        return Spacing(pixel, "breast")

    # The spacing at the detector, divided by the magnification.
    if imager and (factor := magnification(elements)):
        rows, columns = imager
        return Spacing((rows / factor, columns / factor), "breast")
    if imager:
        return Spacing(imager, "detector")

    # Pixel Spacing alone may mean either plane.
    return Spacing(pixel, None) if pixel else None


def magnification(elements: Elements) -> float | None:
    """Return the magnification of the breast on the detector, None if the file does not tell.

    It is the factor in the header, or else the ratio of the distances from the source.
    """
    factor = elements.number("EstimatedRadiographicMagnificationFactor")
    to_detector = elements.number("DistanceSourceToDetector")
    to_breast = elements.number("DistanceSourceToPatient")

    if factor and _is_possible(factor):
        return factor
    if to_detector and to_breast and to_breast > 0 and _is_possible(to_detector / to_breast):
        return to_detector / to_breast
    return None


def _is_possible(factor: float) -> bool:
    return 1 <= factor <= _MAX_MAGNIFICATION


def _pair(elements: Elements, keyword: str) -> _Pair | None:
    match elements.vector(keyword, 2):
        case (row, column) if row > 0 and column > 0:
            return row, column
    return None
