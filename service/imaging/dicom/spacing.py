"""Pixel spacing of a projection image, and the plane in which it holds (PS3.3 10.7.1.3).

X-rays diverge. A structure of the breast is larger on the detector by the magnification factor: by
less than 1.1 in contact views, and by 1.5 to 2 in magnification views.
"""

from dataclasses import dataclass

from pydicom.dataset import Dataset

from service.imaging.dicom.elements import numbers, text
from service.records import SpacingPlane

KEYWORDS = [
    "ImagerPixelSpacing", "PixelSpacing", "PixelSpacingCalibrationType",
    "EstimatedRadiographicMagnificationFactor",
    "DistanceSourceToDetector", "DistanceSourceToPatient",
]  # fmt: skip
"""Elements that are read for the spacing."""

# A larger factor is a mistake, and so is one below 1: the breast would lie behind the detector.
_MAX_MAGNIFICATION = 4.0
_CALIBRATED = {"GEOMETRY", "FIDUCIAL"}

_Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Spacing:
    """Millimetres between rows and between columns, and the plane in which they are measured.

    `plane` is None if the file does not tell.
    """

    millimetres: _Pair
    plane: SpacingPlane | None


def read_spacing(dataset: Dataset) -> Spacing | None:
    """Return the spacing in the breast if the file tells it, else the one that it has.

    A value that is no number counts as missing, because no grey value depends on it.
    """
    imager = _pair(dataset, "ImagerPixelSpacing")
    pixel = _pair(dataset, "PixelSpacing")

    # Pixel Spacing is calibrated if the file says so, or if it differs from that of the detector.
    is_calibrated = text(dataset, "PixelSpacingCalibrationType") in _CALIBRATED
    if pixel and (is_calibrated or (imager and imager != pixel)):
        return Spacing(pixel, "breast")

    # The spacing at the detector, divided by the magnification.
    if imager and (factor := magnification(dataset)):
        rows, columns = imager
        return Spacing((rows / factor, columns / factor), "breast")
    if imager:
        return Spacing(imager, "detector")

    # Pixel Spacing alone may mean either plane.
    return Spacing(pixel, None) if pixel else None


def magnification(dataset: Dataset) -> float | None:
    """Return the magnification of the breast on the detector, None if the file does not tell.

    It is the factor in the header, or else the ratio of the distances from the source.
    """
    match _readable(dataset, "EstimatedRadiographicMagnificationFactor"):
        case [factor] if _is_possible(factor):
            return factor

    to_detector = _readable(dataset, "DistanceSourceToDetector")
    to_breast = _readable(dataset, "DistanceSourceToPatient")
    match to_detector, to_breast:
        case [[detector], [breast]] if breast > 0 and _is_possible(detector / breast):
            return detector / breast
    return None


def _is_possible(factor: float) -> bool:
    return 1 <= factor <= _MAX_MAGNIFICATION


def _pair(dataset: Dataset, keyword: str) -> _Pair | None:
    match _readable(dataset, keyword):
        case [row, column] if row > 0 and column > 0:
            return row, column
    return None


def _readable(dataset: Dataset, keyword: str) -> list[float]:
    """Return an element's values, none if one of them is no number."""
    try:
        return numbers(dataset, keyword)
    except ValueError:
        return []
