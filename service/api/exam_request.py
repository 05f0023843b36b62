"""Requests about an exam, from the headers to the answer: the steps that these routes share."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from service import errors, pipeline
from service.api.application import parts_of
from service.api.dependencies import RequestTimeout
from service.api.held_response import check_part
from service.api.negotiation import MediaType, negotiate
from service.api.problems.documentation import document
from service.api.record import record_of
from service.api.slot_request import REQUEST_ERRORS, SlotRequests, note_refusals
from service.api.upload.body_types import EXAM
from service.api.upload.upload_bounds import UploadBounds
from service.errors import NoImageAnswered
from service.imaging import RunTask
from service.model import Model
from service.observability.stopwatch import Stopwatch
from service.pipeline import Exam, ExamFile, ExamQuestion, ExplainedImage, Question, RunAll
from service.records import ExamResults, QualityWarning
from service.runtime.body_memory import HeldAnswer
from service.runtime.engine import Lane

_EXAM_ERRORS = (
    *REQUEST_ERRORS,
    errors.ExamTooLarge,
    errors.TooManyImages,
    errors.MixedExam,
    errors.NoImageAnswered,
    errors.UnknownLayer,
    errors.TooCostly,
)


def document_exam_errors(*more: type[errors.MammolensError]) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses for the errors of every route of exams, and for `more`."""
    return document(*_EXAM_ERRORS, *more)


@dataclass(frozen=True, slots=True)
class ExamCall:
    """Input of a route's work: the files, the model, the readers and the type to answer in.

    `run_task`: runs a task on a file in a reader process. `run_all`: runs calls in parallel.
    `files`: work that needs them no longer may remove them. `held`: keeps large parts of
    the answer until they are sent.
    `check` raises if the answer is no longer wanted. Call it before each costly step.
    """

    request_id: str
    model: Model
    run_task: RunTask
    run_all: RunAll
    files: list[ExamFile]
    held: HeldAnswer
    timer: Stopwatch
    media_type: MediaType
    check: Callable[[], None]

    def explain(self, question: ExamQuestion) -> Exam:
        """Explain the exam.

        Raises:
            MixedExam, NoImageAnswered, UnknownLayer: see `pipeline.explain_exam`.
        """
        return pipeline.explain_exam(
            self.model, self.run_task, self.files, self.timer, question, self.run_all
        )

    def hold(self, content: bytes) -> None:
        """Count a part of the answer that is kept elsewhere, before it is held.

        Raises:
            NotStorable: it holds the boundary of the answer.
            ObjectsTooLarge, Busy: there is no room for it.
        """
        check_part(content)
        self.held.count(len(content))


@dataclass(frozen=True, slots=True)
class ExamOutcome:
    """Output of a route's work: the response, and the exam that audit and metrics count."""

    response: Response
    exam: Exam


def every_warning(exam: Exam, results: ExamResults) -> list[QualityWarning]:
    """Return the warnings about the exam and about its images, each code once."""
    images = [image for image in exam.images if isinstance(image, ExplainedImage)]
    about_images = [warning for image in images for warning in image.explanation.warnings]
    return list({warning.code: warning for warning in (*results.warnings, *about_images)}.values())


@dataclass(frozen=True, slots=True)
class ExamRequests(SlotRequests):
    """Answers one request about an exam."""

    async def answer(
        self, work: Callable[[ExamCall], ExamOutcome], question: Question, *offers: MediaType
    ) -> Response:
        """Accept the request, read its body, run `work` in the thread of a slot and respond.

        `question`: of every image. `offers`: the types that `work` can answer in.

        Raises:
            MammolensError: any error of admission, upload or work.
        """
        media_type = negotiate(self.request, *offers)
        timer = Stopwatch()
        record = record_of(self.request.scope)
        bounds = UploadBounds.of_exam(self.parts.settings)
        passes = partial(pipeline.count_passes, method=question.method, full=question.full)

        async with self.receive(Lane.EXPLAIN, passes, bounds, EXAM) as received:
            files = [ExamFile(file.data, file.named) for file in received.upload.files]

            async with self.take_slot(received, is_exam=True) as working:
                received.upload.files.clear()  # work alone decides how long files are needed
                admitted = working.admitted
                call = ExamCall(
                    record.request_id,
                    admitted.model,
                    admitted.read.run,
                    admitted.run_all,
                    files,
                    working.held,
                    timer,
                    media_type,
                    admitted.slot.check,
                )
                try:
                    outcome = await working.run(partial(work, call))
                except NoImageAnswered as error:
                    note_refusals(record, dict(enumerate(error.refusals)))
                    raise

        record.laps = timer.laps
        note_refusals(record, outcome.exam.refusals)
        self._count(admitted.model, outcome.exam)
        return outcome.response

    def _count(self, model: Model, exam: Exam) -> None:
        """Count the answered images in the metrics."""
        manifest = model.manifest
        for image in exam.images:
            if isinstance(image, ExplainedImage):
                explanation = image.explanation
                self.parts.metrics.image_answered(
                    (manifest.name, manifest.version),
                    Stopwatch(list(image.laps)),
                    [warning.code for warning in explanation.warnings],
                    explanation.prediction.probabilities[manifest.positive_class],
                )


async def _get_exam_requests(request: Request, seconds: RequestTimeout = None) -> ExamRequests:
    return ExamRequests(request, parts_of(request), seconds)


ExamRequest = Annotated[ExamRequests, Depends(_get_exam_requests)]
"""Parameter of every route that takes an exam."""
