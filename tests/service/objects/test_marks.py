"""Marks: outlines and peaks of positive images alone, most heat first, in DICOM's coordinates."""

from dataclasses import replace
from io import BytesIO

import highdicom
import numpy as np
import pytest
from pydicom.dataset import Dataset

from service.errors import NotStorable
from service.objects import BuildTask
from service.records import (
    ExamResults,
    ImageResult,
    LevelDecision,
    ObjectName,
    ObjectPart,
)
from tests.support import report_trees as trees
from tests.support.archive_objects import (
    change,
    decision,
    exam_results,
    header_of,
    object_request,
    opened,
    phantom_exam,
    square_region,
)

EXAM = phantom_exam()
RESULTS = exam_results(EXAM)
ALONE = replace(RESULTS, images=RESULTS.images[:1], breasts={}, exam=None)
PART = ObjectPart(ObjectName.MARKS, 0)


def marks(results: ExamResults, position: int = 0) -> Dataset:
    request = object_request(results, ObjectPart(ObjectName.MARKS, position))
    return opened(BuildTask(request)(b"", None))


def changed(results: ExamResults, positions: set[int], **values: object) -> ExamResults:
    """Return the results with these values in the images at the positions."""
    images = tuple(
        replace(image, **values)  # type: ignore[arg-type]
        if position in positions and isinstance(image, ImageResult)
        else image
        for position, image in enumerate(results.images)
    )
    return replace(results, images=images)


def labels(document: Dataset) -> list[str]:
    return [trees.texts(one, "Tracking Identifier")[0] for one in trees.groups(document)]


def points(group: Dataset) -> list[tuple[float, float]]:
    """Return the graphic data of a group as (column, row)."""
    (region,) = trees.children(group, "Image Region")
    data = [float(value) for value in np.atleast_1d(region.GraphicData)]
    return list(zip(data[::2], data[1::2], strict=True))


def test_every_group_has_geometry_and_one_number() -> None:
    """Viewers show each number of a group in its label."""
    document = marks(RESULTS)

    assert len(trees.groups(document)) == 2 * 2
    for group in trees.groups(document):
        assert len(trees.children(group, "Image Region")) == 1
        assert [item.ValueType for item in group.ContentSequence].count("NUM") == 1
        assert trees.number(group, "Probability of cancer") == (90.0, "%")
        assert trees.coded(group, "Finding") == ["Selected region"]
    assert [item.ValueType for item in document.ContentSequence].count("CONTAINER") == 1


def test_outline_is_closed_and_half_a_pixel_further() -> None:
    """A square with its corners at the centres of pixels (10, 20) and (14, 24)."""
    results = changed(ALONE, {0}, regions=(square_region(10, 20, 4),))

    outline, peak = trees.groups(marks(results))[:2]

    assert points(outline) == [
        (10.5, 20.5), (14.5, 20.5), (14.5, 24.5), (10.5, 24.5), (10.5, 20.5),
    ]  # fmt: skip
    assert points(peak) == [(12.5, 22.5)]


def test_points_stay_inside_the_image() -> None:
    """The image of 160 rows and 120 columns spans (0, 0) to (120, 160) in DICOM."""
    wide = replace(
        square_region(0, 0, 10), contour=[(-0.6, -3), (119.9, -3), (119.9, 200), (-0.6, 200)]
    )

    outline = trees.groups(marks(changed(ALONE, {0}, regions=(wide,))))[0]

    assert points(outline) == [(0, 0), (120, 0), (120, 160), (0, 160), (0, 0)]


def test_sixteen_regions_with_most_heat_are_marked() -> None:
    shares = [0.001 * ((7 * number) % 20) for number in range(20)]
    regions = tuple(replace(square_region(n, n, 5), heat_share=s) for n, s in enumerate(shares))

    document = marks(changed(ALONE, {0}, regions=regions))

    hottest = sorted(regions, key=lambda region: region.heat_share, reverse=True)[:16]
    assert labels(document)[::2] == [f"AI: L CC region {number}" for number in range(1, 17)]
    assert [points(group)[0][0] for group in trees.groups(document)[::2]] == [
        region.contour[0][0] + 0.5 for region in hottest
    ]


def test_marks_name_their_own_image_alone() -> None:
    document = marks(RESULTS, position=2)

    assert labels(document) == [
        "AI: R CC region 1", "AI: R CC peak 1", "AI: R CC region 2", "AI: R CC peak 2",
    ]  # fmt: skip
    for group in trees.groups(document):
        (region,) = trees.children(group, "Image Region")
        assert trees.images(region, "Source") == [EXAM.files[2].SOPInstanceUID]
    assert trees.evidence(document) == {EXAM.files[2].SOPInstanceUID}


@pytest.mark.parametrize(
    ("decided", "label", "series"),
    [
        (decision(0.1), "AI, decided negative", "AI, research only, decided negative: marks"),
        (LevelDecision(0.2, None, None, None, None), "AI, undecided", "AI, research only"),
    ],
    ids=["negative", "undecided"],
)
def test_other_decisions_are_in_the_labels(decided: LevelDecision, label: str, series: str) -> None:
    document = marks(changed(ALONE, {0}, decision=decided))

    assert labels(document)[0] == f"{label}: L CC region 1"
    assert document.SeriesDescription.startswith(series)


def test_image_without_region_has_no_marks() -> None:
    with pytest.raises(NotStorable, match="no region"):
        marks(changed(ALONE, {0}, regions=()))


def test_same_request_gives_same_tracking_uids() -> None:
    first, second = (
        [trees.children(group, "Tracking Unique Identifier")[0].UID for group in groups]
        for groups in (trees.groups(marks(ALONE)), trees.groups(marks(ALONE)))
    )

    assert first == second
    assert len(set(first)) == len(first)


def test_highdicom_reads_the_marks_back() -> None:
    document = highdicom.sr.srread(BytesIO(BuildTask(object_request(ALONE, PART))(b"", None)))

    groups = document.content.get_planar_roi_measurement_groups()  # type: ignore[attr-defined]

    assert len(groups) == 4
    assert {group.roi.graphic_type.value for group in groups} == {"POLYLINE", "POINT"}
    assert document.content.get_image_measurement_groups() == []  # type: ignore[attr-defined]


def test_retired_class_of_source_is_not_storable() -> None:
    """highdicom refuses to mark an image of a class without a definition."""
    file = phantom_exam().files[0]
    change(file, SOPClassUID="1.2.840.10008.5.1.4.1.1.6")

    with pytest.raises(NotStorable):
        marks(changed(ALONE, {0}, header=header_of(file)))
