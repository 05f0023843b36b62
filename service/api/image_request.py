"""Requests about one image, from the headers to the answer: the steps that these routes share."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Depends, Request, Response

from service import errors
from service.api import responses
from service.api.application import AppParts, parts_of
from service.api.dependencies import RequestTimeout
from service.api.negotiation import MediaType, negotiate
from service.api.options import ImageOptions
from service.api.problems.documentation import document
from service.api.problems.http_errors import InvalidParameters
from service.api.problems.problem_types import ACCESS_ERRORS
from service.api.record import Inference, record_of
from service.api.schemas import Schema
from service.api.upload.upload_reader import UploadBounds, read_upload
from service.imaging import NamingReader, Read
from service.model import Manifest, Model
from service.observability.stopwatch import Stopwatch
from service.records import QualityWarning
from service.runtime.engine import Lane

CountPasses = Callable[[Manifest], int]
"""Number of passes that a request takes of the model with that manifest."""

_ERRORS = (
    errors.EmptyImage,
    errors.MissingFile,
    errors.MalformedUpload,
    errors.UploadTooLarge,
    errors.TooManyPixels,
    errors.UnsupportedMediaType,
    errors.UnsupportedCoding,
    errors.UnsupportedFormat,
    errors.UnsupportedImage,
    errors.UnsupportedSyntax,
    errors.SeveralFrames,
    errors.ForProcessing,
    errors.CorruptImage,
    errors.Undecodable,
    errors.NotAMammogram,
    errors.Tomosynthesis,
    errors.NoBreast,
    errors.NotAcceptable,
    errors.UploadTooSlow,
    errors.NotReady,
    errors.Draining,
    errors.Busy,
    errors.DeadlinePassed,
    InvalidParameters,
    *ACCESS_ERRORS,
)


def document_image_errors(*more: type[errors.MammolensError]) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses for the errors of every image route, and for `more`."""
    return document(*_ERRORS, *more)


@dataclass(frozen=True, slots=True)
class ImageCall:
    """Input of a route's work: the file, the model, the reader and the type to answer in.

    `read` knows the side and the view that the caller names.

    `check` raises if the answer is no longer wanted. Call it before each costly step.
    """

    model: Model
    read: Read
    data: bytes
    timer: Stopwatch
    media_type: MediaType
    check: Callable[[], None]


@dataclass(frozen=True, slots=True)
class ImageAnswer:
    """Output of a route's work: a JSON body or a picture, and the facts that metrics count.

    `probability`: of the positive class, None if the route gives no prediction. `facts`: for the
    headers of a picture.
    """

    content: Schema | bytes
    warnings: tuple[QualityWarning, ...]
    probability: float | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImageRequests:
    """Answers one request about an image."""

    request: Request
    parts: AppParts
    timeout: float | None

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
        engine = self.parts.engine
        count = passes(engine.require_model().manifest) if passes else 0

        async with engine.accept(lane, self.timeout, count, self._sender()) as accepted:
            bounds = UploadBounds.of(self.parts.settings)
            upload = await read_upload(self.request, accepted, bounds)
            named = options.named(upload.fields)

            with self._leaving() as leaving:
                async with engine.take_slot(accepted, leaving) as admitted:
                    inference = await self._begin_inference(admitted.model, upload.data)
                    call = ImageCall(
                        admitted.model,
                        NamingReader(admitted.read, named),
                        upload.data,
                        timer,
                        media_type,
                        admitted.slot.check,
                    )

                    def run() -> tuple[ImageAnswer, Response]:
                        answer = work(call)
                        return answer, _respond(call, answer)

                    answer, response = await admitted.slot.run(run, leaving)

        inference.laps = timer.laps
        manifest = inference.model.manifest
        self.parts.metrics.image_answered(
            (manifest.name, manifest.version),
            timer,
            [warning.code for warning in answer.warnings],
            answer.probability,
        )
        return response

    def _sender(self) -> str:
        """Return the caller whose bodies are bounded together: by name, or else by address."""
        if self.parts.settings.authenticates:
            return record_of(self.request.scope).caller
        return self.request.client.host if self.request.client else "-"

    @contextmanager
    def _leaving(self) -> Iterator[asyncio.Future[Any]]:
        """Yield a future that completes when the client disconnects.

        After the body the only message that can arrive is that it has.
        """
        leaving = asyncio.ensure_future(self.request.receive())
        try:
            yield leaving
        finally:
            leaving.cancel()

    async def _begin_inference(self, model: Model, data: bytes) -> Inference:
        """Mark the request as an inference. From here on it is audited, even if it fails."""
        audit = self.parts.audit
        image = "-" if audit is None else await to_thread.run_sync(audit.fingerprint, data)
        inference = Inference(model, image)
        record_of(self.request.scope).inference = inference
        return inference


def _respond(call: ImageCall, answer: ImageAnswer) -> Response:
    if isinstance(answer.content, bytes):
        return responses.as_picture(
            answer.content, call.media_type, call.model, answer.warnings, answer.facts, call.timer
        )
    return responses.as_json(answer.content, call.timer)


async def _get_image_requests(request: Request, seconds: RequestTimeout = None) -> ImageRequests:
    return ImageRequests(request, parts_of(request), seconds)


ImageRequest = Annotated[ImageRequests, Depends(_get_image_requests)]
"""Parameter of every route that takes an image."""
