"""Requests that bring images and take a slot: the steps that all of them have in common."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from anyio import to_thread
from fastapi import Request

from service import errors
from service.api.application import AppParts
from service.api.problems.http_errors import InvalidParameters
from service.api.problems.problem_types import ACCESS_ERRORS, status_of
from service.api.record import ImageRefusal, Inference, RequestRecord, record_of
from service.api.upload.body_types import BodyShape
from service.api.upload.upload_bounds import UploadBounds
from service.api.upload.upload_reader import Upload, UploadedFile, read_upload
from service.model import Manifest, Model
from service.runtime.body_memory import HeldAnswer
from service.runtime.engine import AcceptedRequest, AdmittedRequest, Lane

T = TypeVar("T")

CountPasses = Callable[[Manifest], int]
"""Number of passes that an image of a request takes of the model with that manifest."""

FILE_ERRORS = (
    errors.EmptyImage,
    errors.TooManyPixels,
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
)
"""Errors of a file."""

REQUEST_ERRORS = (
    errors.MissingFile,
    errors.MalformedUpload,
    errors.UploadTooLarge,
    errors.UnsupportedMediaType,
    errors.UnsupportedCoding,
    errors.NotAcceptable,
    errors.UploadTooSlow,
    errors.NotReady,
    errors.Draining,
    errors.Busy,
    errors.DeadlinePassed,
    InvalidParameters,
    *ACCESS_ERRORS,
)
"""Errors of every such request, whatever its files."""


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request whose body has been read. It has no slot yet."""

    accepted: AcceptedRequest
    upload: Upload


@dataclass(frozen=True, slots=True)
class WorkingRequest:
    """A request with a slot. `leaving` completes when its client disconnects.

    `held`: for an answer that is large. Its response releases it, or else the end of the slot.
    """

    admitted: AdmittedRequest
    leaving: asyncio.Future[Any]
    held: HeldAnswer

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in the thread of the slot and return its result; see `Slot.run`."""
        return await self.admitted.slot.run(work, self.leaving)


@dataclass(frozen=True, slots=True)
class SlotRequests:
    """Answers one request that brings images. `timeout`: its own deadline in seconds."""

    request: Request
    parts: AppParts
    timeout: float | None

    @asynccontextmanager
    async def receive(
        self, lane: Lane, passes: CountPasses | None, bounds: UploadBounds, shape: BodyShape
    ) -> AsyncIterator[ReceivedRequest]:
        """Accept the request and hold its body.

        `passes`: needed where they may be many.

        Raises:
            MammolensError: any error of admission or upload.
        """
        engine = self.parts.engine
        count = passes(engine.require_model().manifest) if passes else 0

        async with engine.accept(lane, self.timeout, count, self._sender()) as accepted:
            upload = await read_upload(self.request, accepted, bounds, shape)
            yield ReceivedRequest(accepted, upload)

    @asynccontextmanager
    async def take_slot(
        self, received: ReceivedRequest, *, is_exam: bool = False
    ) -> AsyncIterator[WorkingRequest]:
        """Wait for a slot and hold it. From here on each image is audited, even if it fails.

        Raises:
            TooCostly, Busy, DeadlinePassed, Abandoned: there is no slot for the request.
        """
        files = received.upload.files
        with self._leaving() as leaving:
            taking = self.parts.engine.take_slot(received.accepted, leaving, len(files))
            async with taking as admitted:
                await self._begin_inferences(admitted.model, files, is_exam=is_exam)
                size = sum(len(file.data) for file in files)
                held = HeldAnswer(self.parts.engine.bodies, self._sender(), size)
                try:
                    yield WorkingRequest(admitted, leaving, held)
                except BaseException:
                    admitted.slot.when_idle(held.release)
                    raise

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

    async def _begin_inferences(
        self, model: Model, files: Sequence[UploadedFile], *, is_exam: bool
    ) -> None:
        """Note each image as an inference of the request."""
        record = record_of(self.request.scope)
        exam = record.request_id if is_exam else "-"

        prints = ["-" for _ in files]
        audit = self.parts.audit
        if audit is not None:
            data = [file.data for file in files]
            prints = await to_thread.run_sync(lambda: list(map(audit.fingerprint, data)))
        record.inferences = [Inference(model, image, exam) for image in prints]


def note_refusals(record: RequestRecord, refusals: Mapping[int, errors.ImageError]) -> None:
    """Note the problem of each refused image, by its position, for the audit."""
    for position, error in refusals.items():
        status = int(status_of(type(error)))
        record.inferences[position].refusal = ImageRefusal(error.slug, status)
