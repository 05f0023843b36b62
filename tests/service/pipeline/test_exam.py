"""Exams from files to results: refusals, origins, headers and the order of files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import TypeVar

import numpy as np
import pytest

from service import pipeline
from service.errors import (
    Busy,
    CorruptImage,
    EmptyImage,
    ForProcessing,
    MixedExam,
    NoImageAnswered,
    ObjectsTooLarge,
    Undecodable,
    UnknownLayer,
)
from service.imaging import FileTask, OriginTask, SamplesTask, read, run_task
from service.model import FakeModel
from service.observability.stopwatch import Stopwatch
from service.pipeline import (
    Exam,
    ExamFile,
    ExamQuestion,
    ExplainedImage,
    Question,
    SampleOrder,
    exam_results,
    explain_exam,
    image_results,
)
from service.pipeline.exam_files import FileOutcome
from service.records import (
    ExamResults,
    ImageResult,
    Method,
    NamedFacts,
    NotCounted,
    RefusedImage,
    View,
)
from tests.support.dicom_files import WriteDicom, stored_breast, write_dicom

T = TypeVar("T")
MODEL = FakeModel()
STUDY = "1.2.840.99999.7"
BREAST = stored_breast()
WRITE: WriteDicom = write_dicom


def dicom(view: str, brightness: float = 1.0, **elements: object) -> ExamFile:
    """Return a file of a view, such as L-CC, of the study and patient 4711."""
    side, _, position = view.partition("-")
    pixels = np.clip(BREAST * brightness, 0, 4095).astype(np.uint16)
    described: dict[str, object] = {
        "BitsStored": 12,
        "SOPInstanceUID": f"1.2.{len(view)}.{round(1000 * brightness)}",
        "StudyInstanceUID": STUDY,
        "PatientID": "4711",
        "ImageLaterality": side or None,
        "ViewPosition": position or None,
    }
    return ExamFile(WRITE(pixels, **described | elements))


def one_by_one(calls: Sequence[Callable[[], T]]) -> list[T]:
    return [call() for call in calls]


def explained(*files: ExamFile, question: ExamQuestion | None = None) -> Exam:
    asked = question or ExamQuestion()
    return explain_exam(MODEL, run_task, files, Stopwatch(), asked, one_by_one)


def results_of(*files: ExamFile, question: ExamQuestion | None = None) -> ExamResults:
    exam = explained(*files, question=question)
    return exam_results(exam, MODEL, question or ExamQuestion())


def answered(results: ExamResults) -> list[ImageResult]:
    return [image for image in results.images if isinstance(image, ImageResult)]


FULL = (dicom("L-CC", 0.8), dicom("L-MLO", 0.9), dicom("R-CC"), dicom("R-MLO", 1.2))


def test_exam_answers_as_its_images_alone() -> None:
    """The mean of a breast and the higher breast, of what `explain` gives for each file."""
    results = results_of(*FULL)

    alone = [pipeline.explain(MODEL, read, each.data, Stopwatch(), Question()) for each in FULL]
    first, second, third, fourth = (each.prediction.probabilities["cancer"] for each in alone)
    assert [image.decision.probability for image in answered(results)] == [
        first,
        second,
        third,
        fourth,
    ]
    assert [image.regions for image in answered(results)] == [tuple(each.regions) for each in alone]
    assert results.breasts["L"].decision.probability == pytest.approx((first + second) / 2)
    assert results.breasts["R"].decision.probability == pytest.approx((third + fourth) / 2)
    assert results.exam is not None
    assert results.exam.decision.probability == max(
        breast.decision.probability for breast in results.breasts.values()
    )
    assert results.exam.is_complete


def test_order_of_files_decides_nothing() -> None:
    twin = ExamFile(FULL[0].data)
    computed = dicom("L-CC", 1.1, ImageType=["DERIVED", "PRIMARY", "", "GENERATED_2D"])
    files = {"first": FULL[0], "twin": twin, "computed": computed}
    outcomes = []

    for order in permutations(files):
        results = results_of(*(files[name] for name in order))
        by_side = {side: breast.decision for side, breast in results.breasts.items()}
        outcomes.append((results.exam, by_side))

    assert len(outcomes) == 6
    assert all(outcome == outcomes[0] for outcome in outcomes)


def test_caller_names_what_file_does_not() -> None:
    named = replace(dicom(""), named=NamedFacts("R", View.MLO))
    contradicted = replace(dicom("L-CC", 0.9), named=NamedFacts("R", View.CC))

    first, second = answered(results_of(named, contradicted))

    assert (first.facts.laterality, first.facts.view, first.not_counted) == ("R", "MLO", None)
    assert (second.facts.laterality, second.not_counted) == ("L", None)
    assert "caller-contradicted" in [warning.code for warning in second.warnings]


def test_file_that_cannot_be_read_is_refused_alone() -> None:
    raw = dicom("L-CC", PresentationIntentType="FOR PROCESSING")

    exam = explained(raw, ExamFile(b""), FULL[3])
    results = exam_results(exam, MODEL, ExamQuestion())

    refused = results.images[0]
    assert isinstance(refused, RefusedImage)
    assert (refused.slug, refused.title) == ("for-processing", ForProcessing.title)
    assert (refused.detail, refused.remedy) == (str(exam.refusals[0]), ForProcessing.remedy)
    assert isinstance(exam.refusals[1], EmptyImage)
    assert results.breasts["R"].images == (2,)
    assert results.exam is not None
    assert results.exam.views == ("R-MLO",)


def test_exam_without_readable_file_is_refused() -> None:
    with pytest.raises(NoImageAnswered) as refused:
        explained(ExamFile(b""), ExamFile(dicom("L-CC").data[:900]))

    kinds = [type(error) for error in refused.value.refusals]
    assert kinds == [EmptyImage, CorruptImage]


@pytest.mark.parametrize(
    "other", [{"StudyInstanceUID": "1.2.840.99999.8"}, {"PatientID": "4712"}, {"PatientID": "471"}]
)
def test_files_of_two_patients_or_studies_are_refused(other: dict[str, str]) -> None:
    with pytest.raises(MixedExam) as refused:
        explained(FULL[0], dicom("R-CC", 0.7, **other))

    shown = repr(refused.value) + str(refused.value.facts)
    assert not any(value in shown for value in (STUDY, "4711", *other.values()))


def test_refused_file_of_other_patient_is_noticed() -> None:
    raw = dicom("L-CC", PatientID="4712", PresentationIntentType="FOR PROCESSING")

    with pytest.raises(MixedExam):
        explained(FULL[0], raw)


def test_files_that_name_nobody_are_not_compared(mammogram_png: bytes) -> None:
    nobody = dicom("R-CC", StudyInstanceUID=None, PatientID="")
    picture = ExamFile(mammogram_png, NamedFacts("R", View.MLO))

    results = results_of(FULL[0], nobody, picture)

    assert [image.not_counted for image in answered(results)] == [None] * 3


@dataclass
class CrashingReader:
    """Reader that fails with one file, whatever it is asked."""

    crashing: bytes
    error: Exception
    tasks: list[object] = field(default_factory=list)

    def __call__(self, task: FileTask[T], data: bytes | memoryview) -> T:
        self.tasks.append(task)
        if data == self.crashing:
            raise self.error
        return run_task(task, data)


def test_other_errors_end_exam() -> None:
    reader = CrashingReader(FULL[1].data, Busy("The queue is full.", 1, "queue"))

    with pytest.raises(Busy):
        explain_exam(MODEL, reader, FULL, Stopwatch(), ExamQuestion(), one_by_one)


def test_unknown_layer_is_refused_before_reading() -> None:
    reader = CrashingReader(b"", ValueError())
    question = ExamQuestion(Question(layer="none"))

    with pytest.raises(UnknownLayer):
        explain_exam(MODEL, reader, FULL, Stopwatch(), question, one_by_one)

    assert reader.tasks == []


def test_file_without_readable_origin_is_refused_alone() -> None:
    reader = CrashingReader(FULL[0].data, Undecodable("Decoding the file crashed the decoder."))

    exam = explain_exam(MODEL, reader, FULL[:2], Stopwatch(), ExamQuestion(), one_by_one)

    assert isinstance(exam.images[0], RefusedImage)
    assert isinstance(exam.images[1], ExplainedImage)
    assert sum(isinstance(task, OriginTask) for task in reader.tasks) == 1


def test_samples_are_held_as_they_come() -> None:
    held: list[bytes] = []

    exam = explained(*FULL[:2], question=ExamQuestion(samples=SampleOrder(100, held.append)))

    images = [image for image in exam.images if isinstance(image, ExplainedImage)]
    assert [image.samples and image.samples.content for image in images] == held
    assert [image.samples and image.samples.rows for image in images] == [100, 100]
    assert [lap.step for lap in images[0].laps].count("samples") == 1
    assert len(held) == 2


def test_file_without_full_pixels_is_refused_alone() -> None:
    """Its low resolution was read, but its samples cannot be."""

    def failing(task: FileTask[T], data: bytes | memoryview) -> T:
        if isinstance(task, SamplesTask) and data == FULL[0].data:
            raise CorruptImage("The pixel data are damaged.")
        return run_task(task, data)

    question = ExamQuestion(samples=SampleOrder(100, lambda _: None))
    exam = explain_exam(MODEL, failing, FULL[:2], Stopwatch(), question, one_by_one)

    assert isinstance(exam.images[0], RefusedImage)
    assert isinstance(exam.images[1], ExplainedImage)


def test_no_room_for_samples_ends_exam() -> None:
    def hold(_: bytes) -> None:
        raise ObjectsTooLarge(1)

    with pytest.raises(ObjectsTooLarge):
        explained(*FULL, question=ExamQuestion(samples=SampleOrder(100, hold)))


def test_outcome_of_a_file_shows_no_header() -> None:
    outcome = FileOutcome(None, None, None, b"Secret^Name", ())

    assert "Secret" not in repr(outcome)


def test_headers_are_given_when_asked_and_never_shown() -> None:
    question = ExamQuestion(with_headers=True)
    secret = dicom("L-CC", PatientName="Secret^Name", PatientID="SECRET-7")

    exam = explained(secret, question=question)
    results = exam_results(exam, MODEL, question)

    (image,) = answered(results)
    assert image.header is not None
    assert b"Secret^Name" in image.header
    shown = repr(results) + repr(exam.images[0]) + repr(secret)
    assert "Secret" not in shown
    assert "SECRET" not in shown
    assert answered(results_of(secret))[0].header is None


def test_picture_has_size_that_was_asked() -> None:
    exam = explained(FULL[0], question=ExamQuestion(picture_edge=210))

    (image,) = exam.images
    assert isinstance(image, ExplainedImage)
    picture = image.explanation.prediction.reading.picture
    assert picture is not None
    assert picture.shape == (210, 150)


def test_timer_has_laps_of_every_image() -> None:
    timer = Stopwatch()

    exam = explain_exam(MODEL, run_task, FULL[:2], timer, ExamQuestion(), one_by_one)

    assert [lap.step for lap in timer.laps].count("explain") == 2
    laps = [lap for image in exam.images if isinstance(image, ExplainedImage) for lap in image.laps]
    assert laps == timer.laps


def test_results_name_model_method_and_layer() -> None:
    pixels = ExamQuestion(Question(Method.SMOOTH_GRAD, level=0.7))

    layered = results_of(FULL[0])
    direct = results_of(FULL[0], question=pixels)

    assert (layered.model.name, layered.model.digest) == ("fake", MODEL.digest)
    assert (layered.method, layered.layer, layered.level) == (Method.GRAD_CAM, "conv2d", 0.5)
    assert (direct.method, direct.layer, direct.level) == (Method.SMOOTH_GRAD, None, 0.7)


def test_single_image_has_neither_breast_nor_exam() -> None:
    explanation = pipeline.explain(MODEL, read, FULL[0].data, Stopwatch(), Question())

    results = image_results(explanation, b"header", MODEL, Question())

    (image,) = answered(results)
    (expected,) = answered(results_of(FULL[0]))
    assert image == replace(expected, header=b"header")
    assert (results.exam, results.breasts, results.warnings) == (None, {}, ())


def test_model_without_levels_leaves_exam_undecided() -> None:
    older = FakeModel()
    older.manifest = MODEL.manifest.model_copy(update={"levels": None})

    results = exam_results(explained(*FULL), older, ExamQuestion())

    assert results.exam is not None
    assert (results.exam.decision.threshold, results.exam.decision.positive) == (None, None)
    assert [warning.code for warning in results.warnings] == ["no-exam-threshold"]
    assert all(image.decision.threshold == 0.5 for image in answered(results))
    assert answered(results)[0].decision.percentile is None


def test_exam_of_other_views_has_no_decision() -> None:
    results = results_of(dicom("L-ML"))

    (image,) = answered(results)
    assert image.not_counted is NotCounted.VIEW
    assert (results.exam, results.breasts) == (None, {})
    assert [warning.code for warning in results.warnings] == ["no-counted-image"]
