"""Which objects an answer has."""

import pytest

from service.errors import DecidedNegative, NoObject, NoRegion
from service.pipeline.archive_choice import choose_parts, require_parts
from service.records import ExamResults, NotCounted, ObjectName, ObjectPart
from tests.support.results import REFUSED, exam_of, image_result

POSITIVE = image_result()
NEGATIVE = image_result(positive=False)
BLANK = image_result(regions=0)
TWIN = image_result(not_counted=NotCounted.DUPLICATE)
OTHER_VIEW = image_result(not_counted=NotCounted.VIEW)


def told(results: ExamResults, *wanted: ObjectName, negatives: bool = False) -> list[str]:
    """Return the chosen parts as short texts."""
    parts = choose_parts(results, wanted or tuple(ObjectName), negatives=negatives)
    return [
        part.name if part.position is None else f"{part.name} {part.position}" for part in parts
    ]


def test_positive_images_alone_have_objects() -> None:
    results = exam_of(NEGATIVE, POSITIVE, REFUSED, OTHER_VIEW)

    assert told(results) == [
        "summary",
        "report",
        "marks 1",
        "marks 3",
        "sc 1",
        "sc 3",
        "seg 1",
        "seg 3",
    ]


def test_negative_images_have_objects_on_request() -> None:
    assert told(exam_of(NEGATIVE, REFUSED, POSITIVE), negatives=True) == [
        "summary", "report", "marks 0", "marks 2", "sc 0", "sc 2", "seg 0", "seg 2",
    ]  # fmt: skip


def test_image_without_region_has_overlay_alone() -> None:
    assert told(exam_of(BLANK)) == ["summary", "report", "sc 0"]


def test_image_sent_twice_has_objects_once() -> None:
    assert told(exam_of(POSITIVE, TWIN), negatives=True) == [
        "summary", "report", "marks 0", "sc 0", "seg 0",
    ]  # fmt: skip


def test_unwanted_objects_are_left_out() -> None:
    assert told(exam_of(POSITIVE, POSITIVE), ObjectName.SEG, ObjectName.REPORT) == [
        "report", "seg 0", "seg 1",
    ]  # fmt: skip


def test_order_of_names_is_no_matter() -> None:
    first = choose_parts(exam_of(POSITIVE), [ObjectName.SC, ObjectName.SUMMARY], negatives=False)
    second = choose_parts(exam_of(POSITIVE), [ObjectName.SUMMARY, ObjectName.SC], negatives=False)

    assert first == second == (ObjectPart(ObjectName.SUMMARY), ObjectPart(ObjectName.SC, 0))


@pytest.mark.parametrize("name", ["marks", "sc", "seg"])
def test_negative_image_alone_is_refused(name: str) -> None:
    with pytest.raises(DecidedNegative):
        require_parts(exam_of(NEGATIVE), [ObjectName(name)], negatives=False)


@pytest.mark.parametrize("name", ["marks", "seg"])
def test_image_without_region_is_refused(name: str) -> None:
    with pytest.raises(NoRegion):
        require_parts(exam_of(BLANK), [ObjectName(name)], negatives=False)


def test_exam_without_any_object_is_refused() -> None:
    with pytest.raises(NoObject):
        require_parts(exam_of(NEGATIVE, REFUSED), [ObjectName.SC], negatives=False)


def test_every_exam_has_summary_and_report() -> None:
    parts = require_parts(exam_of(NEGATIVE, REFUSED), list(ObjectName), negatives=False)

    assert parts == (ObjectPart(ObjectName.SUMMARY), ObjectPart(ObjectName.REPORT))
