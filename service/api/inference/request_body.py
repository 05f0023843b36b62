"""Take a body apart: its JSON, and the files or fitted images in its one input tensor."""

import json
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from service.api.inference.input_tensors import InputBounds, images_of
from service.api.inference.request_json import InferenceRequest
from service.api.problems.parameter_names import shown_name
from service.errors import InvalidInference, JsonTooLarge

MAX_JSON_BYTES = 16 * 1024 * 1024
"""Bytes of JSON. Base64 in it is held four times over until it is decoded."""
MAX_JSON_VALUES = 500_000
"""Values in the JSON: enough for ten images on a grid of 256 x 192 pixels."""
_JSON_COPIES = 3
_MAX_FAULTS = 5


@dataclass(frozen=True, slots=True)
class InferenceBody:
    """A request that was taken apart. `images`: the bytes of each file or fitted image."""

    request: InferenceRequest
    images: list[bytes]


def json_length(header: str | None) -> int | None:
    """Return the bytes of the JSON before binary tensors, None if the body is JSON alone.

    Raises:
        InvalidInference: the header holds no number.
        JsonTooLarge: it is too large.
    """
    if header is None:
        return None
    if not (header.isascii() and header.isdecimal()):
        raise InvalidInference("The header Inference-Header-Content-Length holds no number.")

    # A number with as many digits is too large whatever they are.
    length = int(header) if len(header) <= len(str(MAX_JSON_BYTES)) else MAX_JSON_BYTES + 1
    if length > MAX_JSON_BYTES:
        raise JsonTooLarge(MAX_JSON_BYTES)
    return length


def memory_of(size: int, length: int | None) -> int:
    """Return the most bytes that a body of that size takes while it is taken apart."""
    if length is None:
        return size * (1 + _JSON_COPIES)
    return size + _JSON_COPIES * length + size


def take_apart(data: bytes, length: int | None, bounds: InputBounds) -> InferenceBody:
    """Parse the JSON and cut the input tensor into images.

    Raises:
        InvalidInference: the body is not as the protocol, or this model, asks.
        TooManyImages, UploadTooLarge: there are too many images, or one is too large.
    """
    size = len(data) if length is None else length
    if size > len(data):
        raise InvalidInference("The body is shorter than Inference-Header-Content-Length says.")

    request = _parse(data[:size])
    binary = memoryview(data)[size:]
    return InferenceBody(request, images_of(request.inputs[0], binary, bounds))


def _parse(content: bytes) -> InferenceRequest:
    """Return the checked request. No text that was sent is told in an error."""
    values = sum(map(content.count, (b",", b"[", b"{")))
    if values > MAX_JSON_VALUES:
        raise InvalidInference(
            f"The JSON has more than {MAX_JSON_VALUES} values. Send large tensors as binary ones."
        )

    try:
        members: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidInference("The request is not valid JSON.") from error
    try:
        return InferenceRequest.model_validate(members)
    except ValidationError as error:
        raise InvalidInference(_describe(error)) from error


def _describe(error: ValidationError) -> str:
    """Return the first faults, each with its place."""
    faults = error.errors(include_url=False, include_input=False)
    told = [
        f"{'.'.join(map(shown_name, fault['loc'])) or 'request'}: {fault['msg']}"
        for fault in faults[:_MAX_FAULTS]
    ]
    return "; ".join(told) + "."
