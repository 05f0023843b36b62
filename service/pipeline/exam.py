"""Explain the images of an exam, each on its own, and tell which of them count."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Protocol, TypeVar

from service.errors import ImageError, MixedExam, NoImageAnswered
from service.imaging import FileOrigin, RunTask
from service.model import Model
from service.observability.stopwatch import Lap, Stopwatch
from service.pipeline.counted_images import AnsweredImage, count_images
from service.pipeline.exam_files import (
    ExamFile,
    FileOutcome,
    SampleOrder,
    SourceReader,
    explain_file,
)
from service.pipeline.steps import Explanation, Question, check_question
from service.records import NotCounted, PackedSamples, RefusedImage

T = TypeVar("T")

_KEY_BYTES = 16


class RunAll(Protocol):
    """Runner of calls that do not depend on one another, perhaps several at once."""

    def __call__(self, calls: Sequence[Callable[[], T]]) -> Sequence[T]:
        """Return the results in the order of the calls, or raise the error of one of them."""
        ...


@dataclass(frozen=True, slots=True)
class ExamQuestion:
    """The explanation that is requested of every image.

    `picture_edge`: long edge of the mammograms' pictures in pixels, 0 for none. `with_headers`:
    also return the headers that objects for archives copy. `samples`: None for an
    answer without samples.
    """

    question: Question = field(default_factory=Question)
    picture_edge: float = 0
    with_headers: bool = False
    samples: SampleOrder | None = None


@dataclass(frozen=True, slots=True)
class ExplainedImage:
    """An image that was explained.

    `not_counted`: None if it counts. `header`: as in `ImageResult`. `laps`: of its steps.
    `samples`: None if they were not asked for.
    """

    explanation: Explanation
    not_counted: NotCounted | None
    header: bytes | None = field(repr=False)
    laps: tuple[Lap, ...]
    samples: PackedSamples | None = None


@dataclass(frozen=True, slots=True)
class Exam:
    """The images of an exam in the order of the files, at least one of them explained.

    All are of one study and one patient as far as their files say. `refusals`: the errors of the
    images that were refused, by position.
    """

    images: tuple[ExplainedImage | RefusedImage, ...]
    refusals: Mapping[int, ImageError]


def explain_exam(
    model: Model,
    run_task: RunTask,
    files: Sequence[ExamFile],
    timer: Stopwatch,
    question: ExamQuestion,
    run_all: RunAll,
) -> Exam:
    """Explain the files of an exam. A file that cannot be read is refused, and not the others.

    Raises:
        MixedExam: two files are of different studies or patients, also among those refused.
        NoImageAnswered: every file is refused.
        UnknownLayer, UnknownClass: the model has no such layer or class.
    """
    # 1. Check the request before the costly steps.
    check_question(model, question.question)

    # 2. Read and explain every file.
    key = secrets.token_bytes(_KEY_BYTES)
    source = SourceReader(
        run_task, question.picture_edge, key, question.with_headers, question.samples
    )
    calls = [partial(explain_file, model, source, file, question.question) for file in files]
    outcomes = run_all(calls)
    for outcome in outcomes:
        timer.add(outcome.laps)

    # 3. Check that all are of one patient.
    _require_one_patient(outcome.origin for outcome in outcomes)
    refusals = {
        position: outcome.refusal
        for position, outcome in enumerate(outcomes)
        if outcome.refusal is not None
    }
    if len(refusals) == len(files):
        raise NoImageAnswered(list(refusals.values()))

    # 4. Tell which images count.
    return Exam(_images(files, outcomes), refusals)


def _require_one_patient(origins: Iterable[FileOrigin | None]) -> None:
    """Raise MixedExam if two files name different studies or different patients."""
    known = [origin for origin in origins if origin is not None]
    if len({origin.patient for origin in known} - {None}) > 1:
        raise MixedExam("The files are of different patients.")
    if len({origin.study for origin in known} - {None}) > 1:
        raise MixedExam("The files are of different studies.")


def _images(
    files: Sequence[ExamFile], outcomes: Sequence[FileOutcome]
) -> tuple[ExplainedImage | RefusedImage, ...]:
    """Return the images with the reasons for which they do not count."""
    answered = [
        AnsweredImage(sha256(file.data).digest(), outcome.explanation.prediction.reading.facts)
        for file, outcome in zip(files, outcomes, strict=True)
        if outcome.explanation is not None
    ]
    reasons = iter(count_images(answered))

    images: list[ExplainedImage | RefusedImage] = []
    for outcome in outcomes:
        if outcome.explanation is not None:
            reason = next(reasons)
            images.append(
                ExplainedImage(
                    outcome.explanation, reason, outcome.header, outcome.laps, outcome.samples
                )
            )
        elif outcome.refusal is not None:
            images.append(_refused(outcome.refusal))
    return tuple(images)


def _refused(error: ImageError) -> RefusedImage:
    return RefusedImage(error.slug, error.title, str(error), error.remedy)


def explain_alone(
    model: Model, run_task: RunTask, file: ExamFile, timer: Stopwatch, question: ExamQuestion
) -> ExplainedImage:
    """Explain one file as an image of no exam.

    Raises:
        ImageError: the file cannot be read as a mammogram.
        UnknownLayer, UnknownClass: the model has no such layer or class.
    """
    try:
        exam = explain_exam(model, run_task, [file], timer, question, run_in_turn)
    except NoImageAnswered as error:
        raise error.refusals[0] from None

    (image,) = (image for image in exam.images if isinstance(image, ExplainedImage))
    return image


def run_in_turn(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run the calls one after the other (a `RunAll`)."""
    return [call() for call in calls]
