"""Inference requests, from the headers to the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import Depends, Request, Response

from service import errors, pipeline
from service.access import AccessScope
from service.api.application import parts_of
from service.api.dependencies import RequestTimeout
from service.api.inference.image_inference import InferenceCall, answered
from service.api.inference.inference_answer import respond
from service.api.inference.input_tensors import InputBounds
from service.api.inference.output_tensors import InferredImage
from service.api.inference.request_body import (
    MAX_JSON_BYTES,
    InferenceBody,
    json_length,
    memory_of,
    take_apart,
)
from service.api.inference.request_json import InferenceRequest
from service.api.inference.tensor_names import LENGTH_HEADER, InputName
from service.api.negotiation import MediaType
from service.api.problems.documentation import document_inference
from service.api.record import record_of
from service.api.slot_request import FILE_ERRORS, REQUEST_ERRORS, ReceivedRequest, SlotRequests
from service.api.upload.body_types import BodyShape
from service.api.upload.upload_bounds import UploadBounds
from service.api.upload.upload_reader import Upload, UploadedFile
from service.errors import ImageError, UnknownModel
from service.imaging import NamingReader, Read, read_fitted
from service.model import Manifest, Model
from service.observability.stopwatch import Stopwatch
from service.runtime.engine import AcceptedRequest, AdmittedRequest, Lane

# The clients of Triton name no type.
_TENSORS = BodyShape((MediaType.JSON, "application/octet-stream", ""), {})
_NOT_RAISED = {errors.MissingFile, errors.NotAcceptable}
_ERRORS = (
    *FILE_ERRORS,
    *(error for error in REQUEST_ERRORS if error not in _NOT_RAISED),
    errors.ExamTooLarge,
    errors.ImagesRefused,
    errors.InvalidInference,
    errors.JsonTooLarge,
    errors.NotFitted,
    errors.TooCostly,
    errors.TooManyImages,
    errors.UnknownClass,
    errors.UnknownLayer,
    errors.UnknownModel,
)


INFERENCE_ERRORS = document_inference(*_ERRORS)
"""OpenAPI responses for the errors of an inference."""


def check_model(manifest: Manifest, name: str, version: str | None) -> None:
    """Raise UnknownModel unless name and version are those of the model. None is any version."""
    if name != manifest.name or version not in {None, str(manifest.version)}:
        raise UnknownModel


@dataclass(frozen=True, slots=True)
class InferenceRequests(SlotRequests):
    """Answers one inference request."""

    async def answer(self, name: str, version: str | None) -> Response:
        """Accept the request, read its body, infer in the thread of a slot and respond.

        Raises:
            MammolensError: any error of admission, body or images.
        """
        # Asked for once: a service that begins to drain goes on with requests that it has accepted.
        manifest = self.parts.engine.require_model().manifest
        check_model(manifest, name, version)
        length = json_length(self.request.headers.get(LENGTH_HEADER))
        bounds = UploadBounds.of_tensors(
            self.parts.settings, MAX_JSON_BYTES, is_json=length is None
        )

        async with self.receive(Lane.PREDICT, None, bounds, _TENSORS) as received:
            body = await self._take_apart(received, length, manifest)
            self._choose_lane(received.accepted, body.request, manifest)
            upload = Upload([UploadedFile(image) for image in body.images])

            async with self.take_slot(ReceivedRequest(received.accepted, upload)) as working:
                # The version may have been exchanged meanwhile.
                check_model(working.admitted.model.manifest, name, version)
                return await working.run(partial(self._work, working.admitted, body))

    async def _take_apart(
        self, received: ReceivedRequest, length: int | None, manifest: Manifest
    ) -> InferenceBody:
        """Take the body apart in a thread, with all that this takes counted as memory of bodies."""
        (file,) = received.upload.files
        received.upload.files.clear()
        received.accepted.body.grow(memory_of(len(file.data), length))

        bounds = InputBounds.of(self.parts.settings, manifest)
        return await to_thread.run_sync(take_apart, file.data, length, bounds)

    def _choose_lane(
        self, accepted: AcceptedRequest, request: InferenceRequest, manifest: Manifest
    ) -> None:
        """Put an explanation into its lane, if its caller may have one.

        Raises:
            Forbidden: it lacks the scope.
        """
        question = request.parameters.question()
        if question is None:
            return
        caller = record_of(self.request.scope).admitted
        assert caller is not None  # noqa: S101 - these routes are behind the gate
        caller.require(AccessScope.EXPLAIN)

        accepted.lane = Lane.EXPLAIN
        accepted.passes = pipeline.count_passes(manifest, question.method, full=question.full)

    def _work(self, admitted: AdmittedRequest, body: InferenceBody) -> Response:
        """Infer each image and return the response."""
        is_fitted = body.request.inputs[0].name is InputName.FITTED
        named = body.request.parameters.named()
        read: Read = read_fitted if is_fitted else admitted.read
        call = InferenceCall(admitted.model, NamingReader(read, named), body.request)

        timers = [Stopwatch() for _ in body.images]
        calls: list[Callable[[], InferredImage | ImageError]] = [
            partial(call.infer, image, timer)
            for image, timer in zip(body.images, timers, strict=True)
        ]
        outcomes = [calls[0]()] if len(calls) == 1 else admitted.run_all(calls)

        record = record_of(self.request.scope)
        record.laps = [lap for timer in timers for lap in timer.laps]
        images = answered(outcomes, record)
        self._count(admitted.model, images, timers)
        return respond(admitted.model, body.request, images, Stopwatch(list(record.laps)))

    def _count(self, model: Model, images: list[InferredImage], timers: list[Stopwatch]) -> None:
        """Count the images in the metrics."""
        manifest = model.manifest
        for image, timer in zip(images, timers, strict=True):
            self.parts.metrics.image_answered(
                (manifest.name, manifest.version),
                timer,
                [warning.code for warning in image.warnings],
                image.prediction.probabilities[manifest.positive_class],
            )


async def _get_requests(request: Request, seconds: RequestTimeout = None) -> InferenceRequests:
    return InferenceRequests(request, parts_of(request), seconds)


InferRequest = Annotated[InferenceRequests, Depends(_get_requests)]
"""Parameter of every route that infers."""
