"""Objects for archives: their names, the encoding of their pixels, and a request for one."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.records.results import ExamResults


class ObjectName(StrEnum):
    """Objects for archives.

    `summary`: a page of the exam as a Secondary Capture. `report`: all results as a structured
    report. `marks`: regions of one image as a structured report. `sc`: an overlay of one image as a
    Secondary Capture. `seg`: regions of one image as a Segmentation.
    """

    SUMMARY = "summary"
    REPORT = "report"
    MARKS = "marks"
    SC = "sc"
    SEG = "seg"


class PixelSyntax(StrEnum):
    """Encodings of a Secondary Capture's pixels. `jpeg` loses detail, the others do not."""

    RAW = "raw"
    JPEG_LS = "jpeg-ls"
    JPEG = "jpeg"


@dataclass(frozen=True, slots=True)
class ObjectPart:
    """One object of an answer. `position`: of its image, None for `summary` and `report`."""

    name: ObjectName
    position: int | None = None


@dataclass(frozen=True, slots=True)
class ObjectRequest:
    """A request to build one object from results and the headers in them.

    `parts`: every object of the same answer, which the report refers to. `picture_shape`: rows and
    columns of the RGB picture that goes with the request, for `summary` and `sc`. `request_id` and
    `parts` name the new instances, so that the same request gives the same UIDs. `time`: of the
    results, with its zone. `software_version`: of the service.
    """

    part: ObjectPart
    parts: tuple[ObjectPart, ...]
    results: ExamResults
    picture_shape: tuple[int, int] | None
    syntax: PixelSyntax
    request_id: str
    time: datetime
    software_version: str
