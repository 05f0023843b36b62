"""Segmentations: their masks, their place, and how viewers are to show them."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from service.errors import NotStorable
from service.imaging import read
from service.model import FakeModel
from service.objects.region_mask import MAX_REGIONS
from service.observability.stopwatch import Stopwatch
from service.pipeline import Question, explain
from service.records import ExamResults, HeatRegion, Laterality, ObjectName, ObjectPart
from tests.support.archive_objects import (
    MIRRORED_AND_REDUCED,
    build,
    exam_results,
    file_bytes,
    image_result,
    opened,
    phantom_exam,
    phantom_file,
    square_region,
)
from training.phantoms.transfer import Syntax

EXAM = phantom_exam()
RESULTS = exam_results(EXAM)
FIRST = ObjectPart(ObjectName.SEG, 0)


def one_image(file: Dataset, regions: tuple[HeatRegion, ...]) -> ExamResults:
    """Return the results of one image with these regions."""
    return replace(RESULTS, images=(replace(image_result(file, 0), regions=regions),))


def masks(data: bytes) -> NDArray[np.uint8]:
    """Return the mask of each segment [segments, rows, columns]."""
    segmentation = opened(data)
    frames = segmentation.pixel_array
    return np.asarray(frames, np.uint8).reshape(-1, segmentation.Rows, segmentation.Columns)


def around(
    region: HeatRegion, shape: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return random pixels (x, y) around a region, and their distances from its outline."""
    left, top, right, bottom = region.box
    rng = np.random.default_rng(9)
    x = rng.integers(max(0, int(left) - 9), min(shape[1], int(right) + 10), 3000)
    y = rng.integers(max(0, int(top) - 9), min(shape[0], int(bottom) + 10), 3000)

    contour = np.array(region.contour, np.float32).reshape(-1, 1, 2)
    points = np.stack([x, y], axis=1)
    distances = [
        cv2.pointPolygonTest(contour, (int(column), int(row)), measureDist=True)
        for column, row in points
    ]
    return points, np.array(distances)


def test_mask_covers_region_pixel_by_pixel() -> None:
    """A square from the centre of pixel 10, 20 to that of 30, 40 covers 21 x 21 pixels."""
    data = build(one_image(EXAM.files[0], (square_region(10, 20, 20),)), FIRST)

    expected = np.zeros((160, 120), np.uint8)
    expected[20:41, 10:31] = 1
    assert np.array_equal(masks(data)[0], expected)


def test_region_in_hole_of_another_is_kept() -> None:
    outer = square_region(10, 10, 80)
    inner = square_region(40, 40, 8)

    first, second = masks(build(one_image(EXAM.files[0], (inner, outer)), FIRST))

    assert first.sum() == 81
    assert not (first & second).any()


def test_strongest_regions_alone_are_segments() -> None:
    regions = tuple(
        replace(square_region(number, number, 1), heat_share=number / 100) for number in range(30)
    )
    segmentation = opened(build(one_image(EXAM.files[0], regions), FIRST))

    assert len(segmentation.SegmentSequence) == MAX_REGIONS


@pytest.mark.parametrize("own", [False, True])
def test_segmentation_lies_where_its_source_lies(own: bool) -> None:
    """In the frame of reference of its source, or a new one, with the spacing at the detector."""
    exam = phantom_exam(frame_of_reference=own)
    segmentation = opened(build(exam_results(exam), FIRST))
    (shared,) = segmentation.SharedFunctionalGroupsSequence
    (measures,) = shared.PixelMeasuresSequence

    assert measures.PixelSpacing == exam.files[0].ImagerPixelSpacing
    assert shared.PlaneOrientationSequence[0].ImageOrientationPatient == [1, 0, 0, 0, 1, 0]
    for frame in segmentation.PerFrameFunctionalGroupsSequence:
        assert frame.PlanePositionSequence[0].ImagePositionPatient == [0, 0, 0]
    if own:
        assert segmentation.FrameOfReferenceUID == exam.files[0].FrameOfReferenceUID
    else:
        assert segmentation.FrameOfReferenceUID.startswith("2.25.")


@pytest.mark.filterwarnings("ignore")  # pydicom's, while the source is written
def test_invalid_frame_of_reference_is_replaced() -> None:
    exam = phantom_exam(FrameOfReferenceUID=b"1.2\\3 ")
    segmentation = opened(build(exam_results(exam), FIRST))

    assert segmentation.FrameOfReferenceUID.startswith("2.25.")


def test_unknown_spacing_is_told() -> None:
    """Viewers need a number."""
    segmentation = opened(build(exam_results(phantom_exam(ImagerPixelSpacing=None)), FIRST))

    assert "pixel size unknown" in segmentation.ContentDescription


def test_every_segment_has_colour_and_algorithm() -> None:
    segmentation = opened(build(RESULTS, FIRST))

    for segment in segmentation.SegmentSequence:
        (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
        assert segment.RecommendedDisplayCIELabValue
        assert segment.SegmentAlgorithmType == "AUTOMATIC"
        assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("demo", "1")
        assert RESULTS.model.digest in algorithm.AlgorithmParameters


def test_negative_segments_say_so() -> None:
    segmentation = opened(build(exam_results(EXAM, positive=False), FIRST))

    assert "decided negative" in segmentation.SeriesDescription
    assert "decided negative" in segmentation.SegmentSequence[0].SegmentLabel


def test_image_without_region_is_refused() -> None:
    with pytest.raises(NotStorable):
        build(one_image(EXAM.files[0], ()), FIRST)


@MIRRORED_AND_REDUCED
def test_masks_agree_with_regions_of_explanation(
    side: Laterality, syntax: Syntax, shape: tuple[int, int]
) -> None:
    """Within one pixel, where the breast is mirrored and where the file is read reduced."""
    file = phantom_file(side, syntax, shape)
    explanation = explain(FakeModel(), read, file_bytes(file), Stopwatch(), Question())
    regions = tuple(explanation.regions)
    assert regions

    segments = masks(build(one_image(file, regions), FIRST))
    for region, mask in zip(regions, segments, strict=False):
        points, distances = around(region, shape)
        clear = np.abs(distances) > 1
        columns, rows = points[clear].T
        assert np.array_equal(mask[rows, columns], distances[clear] > 0)

        x, y = region.peak
        assert mask[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2].any()
