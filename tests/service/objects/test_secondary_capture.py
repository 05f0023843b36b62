"""Secondary Captures: the pixels, what they say of the source, and of the decision."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from service.errors import NotStorable
from service.objects import instance_uid, series_uid
from service.records import ObjectName, ObjectPart, PixelSyntax
from tests.support.archive_objects import (
    TIME,
    build,
    exam_results,
    image_result,
    object_request,
    objections,
    opened,
    phantom_exam,
)
from training.phantoms import Acquisition

EXAM = phantom_exam()
RESULTS = exam_results(EXAM)
OBLIQUE = ObjectPart(ObjectName.SC, 3)
SUMMARY = ObjectPart(ObjectName.SUMMARY)
PICTURE = np.random.default_rng(3).integers(0, 256, (160, 120, 3), np.uint8)


@pytest.mark.parametrize("syntax", [PixelSyntax.RAW, PixelSyntax.JPEG_LS])
def test_lossless_overlay_keeps_every_sample(syntax: PixelSyntax) -> None:
    capture = opened(build(RESULTS, OBLIQUE, syntax, PICTURE))

    assert np.array_equal(capture.pixel_array, PICTURE)
    assert capture.LossyImageCompression == "00"


def test_jpeg_overlay_is_marked_as_lossy() -> None:
    smooth = np.zeros((160, 120, 3), np.uint8)
    smooth[..., 0] = np.arange(120)
    data = build(RESULTS, OBLIQUE, PixelSyntax.JPEG, smooth)
    capture = opened(data)

    assert capture.LossyImageCompression == "01"
    assert capture.LossyImageCompressionMethod == "ISO_10918_1"
    assert capture.LossyImageCompressionRatio > 5
    assert np.abs(capture.pixel_array.astype(int) - smooth).mean() < 3


def test_odd_number_of_samples_is_padded() -> None:
    """A page of 3 x 5 pixels has 45 bytes, and a value has an even number."""
    capture = opened(build(RESULTS, SUMMARY, picture=PICTURE[:3, :5]))

    assert np.array_equal(capture.pixel_array, PICTURE[:3, :5])


def test_overlay_tells_source_and_side() -> None:
    source = EXAM.files[3]
    capture = opened(build(RESULTS, OBLIQUE))

    (reference,) = capture.SourceImageSequence
    assert reference.ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert (capture.Laterality, list(capture.PatientOrientation)) == ("R", ["P", "FL"])
    assert capture.BurnedInAnnotation == "YES"
    assert capture.StudyInstanceUID == source.StudyInstanceUID
    assert capture.SeriesInstanceUID != source.SeriesInstanceUID


def test_overlay_names_maker_model_and_time() -> None:
    request = object_request(RESULTS, OBLIQUE)
    capture = opened(build(RESULTS, OBLIQUE))

    assert (capture.Manufacturer, capture.ManufacturerModelName) == ("mammolens", "demo/1")
    assert capture.DeviceSerialNumber == RESULTS.model.digest
    assert capture.SOPInstanceUID == instance_uid(request, OBLIQUE)
    assert capture.SeriesInstanceUID == series_uid(request, OBLIQUE)
    assert (capture.ContentDate, capture.ContentTime) == ("20261127", "093015.250000")
    assert "TimezoneOffsetFromUTC" not in capture


def test_times_are_in_the_zone_of_the_source() -> None:
    """09:30 UTC is 23:30 of the day before at 10 hours west."""
    exam = phantom_exam(TimezoneOffsetFromUTC="-1000")
    capture = opened(build(exam_results(exam), OBLIQUE))

    assert TIME.hour == 9
    assert (capture.ContentDate, capture.ContentTime[:4]) == ("20261126", "2330")
    assert capture.TimezoneOffsetFromUTC == "-1000"


def test_negative_image_says_so() -> None:
    capture = opened(build(exam_results(EXAM, positive=False), OBLIQUE))

    assert capture.SeriesDescription == "AI, research only, decided negative: overlay R MLO"
    assert "decided negative" in capture.DerivationDescription


def test_loss_of_the_source_is_handed_on() -> None:
    exam = phantom_exam(acquisition=Acquisition(transfer_syntax="jpeg2000-lossy"))
    result = image_result(exam.files[0], 0)
    lossy = replace(result, facts=replace(result.facts, lossy=True))
    results = replace(exam_results(exam), images=(lossy,))

    raw = opened(build(results, ObjectPart(ObjectName.SC, 0)))
    jpeg = opened(build(results, ObjectPart(ObjectName.SC, 0), PixelSyntax.JPEG))

    assert raw.LossyImageCompression == "01"
    assert raw.LossyImageCompressionMethod == "ISO_15444_1"
    assert list(jpeg.LossyImageCompressionMethod) == ["ISO_15444_1", "ISO_10918_1"]
    assert len(jpeg.LossyImageCompressionRatio) == 2


def test_summary_refers_to_every_image_once() -> None:
    twice = replace(RESULTS, images=(*RESULTS.images, RESULTS.images[0]))
    page = opened(build(twice, SUMMARY))

    uids = [item.ReferencedSOPInstanceUID for item in page.SourceImageSequence]
    assert uids == [file.SOPInstanceUID for file in EXAM.files]
    assert page.ImageLaterality == "B"


def test_summary_without_answered_image_is_refused() -> None:
    with pytest.raises(NotStorable):
        build(replace(RESULTS, images=()), SUMMARY)


def test_unknown_side_is_the_only_objection(tmp_path: Path) -> None:
    """The element has no value when the side is unknown, and dciodvfy asks whether it is."""
    result = image_result(EXAM.files[0], 0)
    unknown = replace(result, facts=replace(result.facts, laterality=None, view=None))
    data = build(replace(RESULTS, images=(unknown,)), ObjectPart(ObjectName.SC, 0))

    (objection,) = objections(data, tmp_path)
    assert "only permitted to be empty when actually unknown" in objection
