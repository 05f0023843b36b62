"""The object `report`: all results as a structured report, without geometry.

Viewers draw nothing of a report that mixes both, so regions are in `marks`.
"""

from collections.abc import Iterable, Sequence

from highdicom.sr import (
    CodeContentItem,
    CodedConcept,
    CompositeContentItem,
    ContainerContentItem,
    ContentItem,
    ContentSequence,
    ImageContentItem,
    RelationshipTypeValues,
)
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import ComprehensiveSRStorage, SecondaryCaptureImageStorage, SegmentationStorage

from service.objects import report_codes
from service.objects.context import describe
from service.objects.report_document import comments, document
from service.objects.report_groups import report_groups
from service.objects.report_texts import document_texts
from service.objects.sources import Source, read_sources
from service.objects.uids import instance_uid, series_uid
from service.records import ExamResults, ObjectName, ObjectPart, ObjectRequest, RefusedImage

_CONTAINS = RelationshipTypeValues.CONTAINS
_CLASSES = {
    ObjectName.SUMMARY: SecondaryCaptureImageStorage,
    ObjectName.MARKS: ComprehensiveSRStorage,
    ObjectName.SC: SecondaryCaptureImageStorage,
    ObjectName.SEG: SegmentationStorage,
}


def build_report(request: ObjectRequest, _data: bytes) -> Dataset:
    """Return the report. It refers to the other objects of the answer, which need not exist yet.

    Raises:
        NotStorable: a file has no identity in an archive.
    """
    sources = read_sources(request.results)
    others = [part for part in request.parts if part.name in _CLASSES]

    siblings = [_sibling(request, part, sources[0]) for part in others]
    groups = list(report_groups(request, sources))

    report = document(request, groups, sources, describe("report"), siblings)
    report.ContentSequence.append(_evaluations(request.results))
    if others:
        report.ContentSequence.append(_references(request, others))
    return report


def _evaluations(results: ExamResults) -> ContainerContentItem:
    """Return the statements about all results (TID 1500, rows 12 to 14)."""
    refused = any(isinstance(image, RefusedImage) for image in results.images)
    status = report_codes.processing_code(every_image=not refused)
    processed = CodeContentItem(report_codes.PROCESSING, status, _CONTAINS)
    return _container(report_codes.EVALUATIONS, [processed, *comments(document_texts(results))])


def _sibling(request: ObjectRequest, part: ObjectPart, source: Source) -> Dataset:
    """Return the identity of another object of the answer."""
    sibling = Dataset()
    sibling.StudyInstanceUID = str(source.header.StudyInstanceUID)
    sibling.SeriesInstanceUID = series_uid(request, part)
    sibling.SOPInstanceUID = instance_uid(request, part)
    sibling.SOPClassUID = _CLASSES[part.name]
    return sibling


def _references(request: ObjectRequest, parts: Iterable[ObjectPart]) -> ContainerContentItem:
    """Return references to other objects, an extension of TID 1500, which has no row for them."""
    items = [
        (CompositeContentItem if part.name is ObjectName.MARKS else ImageContentItem)(
            report_codes.purpose_code(part.name),
            _CLASSES[part.name],
            instance_uid(request, part),
            relationship_type=_CONTAINS,
        )
        for part in parts
    ]
    return _container(report_codes.REFERENCES, items)


def _container(name: Code | CodedConcept, items: Sequence[ContentItem]) -> ContainerContentItem:
    container = ContainerContentItem(name, relationship_type=_CONTAINS)
    container.ContentSequence = ContentSequence(items)
    return container
