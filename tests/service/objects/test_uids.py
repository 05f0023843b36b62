"""UIDs of objects: the same for the same request, and different for anything else."""

from dataclasses import replace

import pytest
from pydicom.uid import UID

from service.objects.uids import derived_uid, instance_uid, series_uid
from service.records import HeatScale, ObjectName, ObjectPart, PixelSyntax
from tests.support.archive_objects import (
    every_part,
    exam_results,
    image_result,
    object_request,
    phantom_exam,
)

EXAM = phantom_exam()
RESULTS = exam_results(EXAM)
PART = ObjectPart(ObjectName.SC, 1)
REQUEST = object_request(RESULTS, PART)
SIDELESS = replace(
    image_result(EXAM.files[0], 0),
    facts=replace(image_result(EXAM.files[0], 0).facts, laterality=None),
)


def test_uids_are_valid_and_unique_in_an_answer() -> None:
    uids = [
        make(REQUEST, part) for part in every_part(RESULTS) for make in (instance_uid, series_uid)
    ]

    assert all(UID(uid).is_valid and uid.startswith("2.25.") for uid in uids)
    assert len(set(uids)) == len(uids)


def test_siblings_name_an_object_alike() -> None:
    sibling = replace(REQUEST, part=ObjectPart(ObjectName.REPORT), picture_shape=None)

    assert instance_uid(sibling, PART) == instance_uid(REQUEST, PART)


@pytest.mark.parametrize(
    "changed",
    [
        replace(REQUEST, request_id="request-2"),
        replace(REQUEST, syntax=PixelSyntax.JPEG),
        replace(REQUEST, parts=REQUEST.parts[:-1]),
        replace(REQUEST, results=replace(RESULTS, level=0.4)),
        replace(REQUEST, results=replace(RESULTS, scale=HeatScale.IMAGE)),
        replace(REQUEST, results=replace(RESULTS, images=(SIDELESS, *RESULTS.images[1:]))),
        replace(REQUEST, results=replace(RESULTS, model=replace(RESULTS.model, digest="cd" * 32))),
        replace(REQUEST, results=replace(RESULTS, images=RESULTS.images[::-1])),
    ],
)
def test_another_request_gives_other_uids(changed: object) -> None:
    assert instance_uid(changed, PART) != instance_uid(REQUEST, PART)  # type: ignore[arg-type]


def test_names_of_derived_uids_do_not_run_together() -> None:
    assert derived_uid(REQUEST, "a", "bc") != derived_uid(REQUEST, "ab", "c")
