"""Elements of a source image that an object of this image copies."""

import re

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from service.objects.header_values import readable, valid_copy
from service.objects.sources import Source

_DIRECTION = re.compile(r"[APLRHF]{1,3}")


def copy_side(source: Source, target: Dataset) -> None:
    """Set body part and side, which the caller may have named. An unknown side has no value."""
    target.BodyPartExamined = "BREAST"
    target.Laterality = source.result.facts.laterality or ""


def copy_orientation(source: Source, target: Dataset) -> None:
    """Set the directions of a row and of a column, without value if the source does not tell."""
    value = readable(source.header, "PatientOrientation")
    match [str(each) for each in value] if isinstance(value, MultiValue) else []:
        case [row, column] if _DIRECTION.fullmatch(row) and _DIRECTION.fullmatch(column):
            target.PatientOrientation = [row, column]
        case _:
            target.PatientOrientation = ""


def copy_lossy_compression(source: Source, target: Dataset) -> None:
    """State whether the source has lost detail: what is drawn over it has lost it, too."""
    target.LossyImageCompression = "01" if source.result.facts.lossy else "00"
    if not source.result.facts.lossy:
        return

    ratio = valid_copy(source.header, "LossyImageCompressionRatio")
    method = valid_copy(source.header, "LossyImageCompressionMethod")
    if ratio and method and ratio.VM == method.VM:
        target.add(ratio)
        target.add(method)
