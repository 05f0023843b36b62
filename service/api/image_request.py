"""Requests about one image, from the headers to the answer: the steps that these routes share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from service import errors
from service.api import responses
from service.api.application import parts_of
from service.api.dependencies import RequestTimeout
from service.api.held_response import HeldResponse
from service.api.negotiation import MediaType, negotiate
from service.api.options import ImageOptions
from service.api.problems.documentation import document
from service.api.record import record_of
from service.api.schemas import Schema
from service.api.slot_request import FILE_ERRORS, REQUEST_ERRORS, CountPasses, SlotRequests
from service.api.upload.body_types import ONE_IMAGE
from service.api.upload.upload_bounds import UploadBounds
from service.imaging import NamingReader, Read, RunTask
from service.model import Model
from service.observability.stopwatch import Stopwatch
from service.pipeline import ExamFile
from service.records import QualityWarning
from service.runtime.body_memory import HeldAnswer
from service.runtime.engine import Lane


def document_image_errors(*more: type[errors.MammolensError]) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses for the errors of every image route, and for `more`."""
    return document(*FILE_ERRORS, *REQUEST_ERRORS, *more)


@dataclass(frozen=True, slots=True)
class ImageCall:
    """Input of a route's work: the file, the model, the reader and the type to answer in.

    `read` knows the side and the view that the caller names, and so does `file`. `run_task`: runs a
    task on a file in a reader process. `held`: keeps objects for archives until they are sent.

    `check` raises if the answer is no longer wanted. Call it before each costly step.
    """

    request_id: str
    model: Model
    read: Read
    run_task: RunTask
    file: ExamFile
    held: HeldAnswer
    timer: Stopwatch
    media_type: MediaType
    check: Callable[[], None]

    @property
    def data(self) -> bytes:
        """The bytes of the file."""
        return self.file.data


@dataclass(frozen=True, slots=True)
class ImageAnswer:
    """Output of a route's work: a JSON body or a picture, and the facts that metrics count.

    `probability`: of the positive class, None if the route gives no prediction. `facts`: for the
    headers of a picture.
    """

    content: Schema | bytes | HeldAnswer
    warnings: tuple[QualityWarning, ...]
    probability: float | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImageRequests(SlotRequests):
    """Answers one request about an image."""

    async def answer(
        self,
        lane: Lane,
        work: Callable[[ImageCall], ImageAnswer],
        options: ImageOptions,
        *offers: MediaType,
        passes: CountPasses | None = None,
    ) -> Response:
        """Accept the request, read its body, run `work` in the thread of a slot and respond.

        `offers`: the types that `work` can answer in. `passes`: needed where they may be many.

        Raises:
            MammolensError: any error of admission, upload or work.
            RequestValidationError: a field of the form is not allowed.
        """
        media_type = negotiate(self.request, *offers)
        timer = Stopwatch()
        bounds = UploadBounds.of_image(self.parts.settings)

        async with self.receive(lane, passes, bounds, ONE_IMAGE) as received:
            named = options.named(received.upload.fields)
            (file,) = received.upload.files

            async with self.take_slot(received) as working:
                admitted = working.admitted
                read = NamingReader(admitted.read, named)
                check = admitted.slot.check
                call = ImageCall(
                    record_of(self.request.scope).request_id,
                    admitted.model,
                    read,
                    admitted.read.run,
                    ExamFile(file.data, named),
                    working.held,
                    timer,
                    media_type,
                    check,
                )

                def run() -> tuple[ImageAnswer, Response]:
                    answer = work(call)
                    return answer, _respond(call, answer)

                answer, response = await working.run(run)

        record_of(self.request.scope).laps = timer.laps
        manifest = admitted.model.manifest
        self.parts.metrics.image_answered(
            (manifest.name, manifest.version),
            timer,
            [warning.code for warning in answer.warnings],
            answer.probability,
        )
        return response


def _respond(call: ImageCall, answer: ImageAnswer) -> Response:
    if isinstance(answer.content, HeldAnswer):
        headers = responses.evidence(call.model, answer.warnings, call.timer)
        return HeldResponse(answer.content, call.media_type, headers)
    if isinstance(answer.content, bytes):
        return responses.as_picture(
            answer.content, call.media_type, call.model, answer.warnings, answer.facts, call.timer
        )
    return responses.as_json(answer.content, call.timer)


async def _get_image_requests(request: Request, seconds: RequestTimeout = None) -> ImageRequests:
    return ImageRequests(request, parts_of(request), seconds)


ImageRequest = Annotated[ImageRequests, Depends(_get_image_requests)]
"""Parameter of every route that takes an image."""
