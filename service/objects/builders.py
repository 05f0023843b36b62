"""The builder of each kind of object."""

from collections.abc import Callable, Mapping

from pydicom.dataset import Dataset

from service.objects.context import to_bytes
from service.objects.marks import build_marks
from service.objects.result_report import build_report
from service.objects.secondary_capture import build_overlay, build_summary
from service.objects.segmentation import build_segmentation
from service.records import ObjectName, ObjectRequest

Builder = Callable[[ObjectRequest, bytes], Dataset]

BUILDERS: Mapping[ObjectName, Builder] = {
    ObjectName.REPORT: build_report,
    ObjectName.MARKS: build_marks,
    ObjectName.SC: build_overlay,
    ObjectName.SEG: build_segmentation,
    ObjectName.SUMMARY: build_summary,
}


def build(request: ObjectRequest, data: bytes) -> bytes:
    """Return the object that is asked for; see `BuildTask`."""
    return to_bytes(BUILDERS[request.part.name](request, data))
