"""Read the image file from a request's body, into bounded memory and never onto a disk."""

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from io import BytesIO

from fastapi import Request
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect

from service.errors import (
    Abandoned,
    DeadlinePassed,
    MalformedUpload,
    MissingFile,
    UnsupportedMediaType,
    UploadTooLarge,
    UploadTooSlow,
)
from service.runtime.body_memory import HeldBody
from service.runtime.engine import AcceptedRequest
from service.settings import Settings

MULTIPART = "multipart/form-data"
DECLARED = ("application/dicom", "image/png", "image/jpeg", "image/tiff")
RAW = (*DECLARED, "application/octet-stream")
MULTIPART_OVERHEAD = 64 * 1024
"""Bytes allowed for boundaries, part headers and small fields around the file."""

_BINARY = {"type": "string", "format": "binary"}
_FORM = {
    "type": "object",
    "title": "Upload",
    "required": ["file"],
    "properties": {"file": _BINARY | {"description": "The mammogram: DICOM, PNG, JPEG or TIFF."}},
}
BODY = {
    "requestBody": {
        "required": True,
        "description": (
            "One mammogram, as a form or as the raw file. Its format is detected from its bytes, "
            "not from its name or type."
        ),
        "content": {MULTIPART: {"schema": _FORM}}
        | {media_type: {"schema": _BINARY} for media_type in DECLARED},
    }
}
"""Declaration of the body in OpenAPI.

FastAPI cannot derive it, because the routes read the body themselves.
"""


@dataclass(frozen=True, slots=True)
class UploadBounds:
    """Bounds of uploads: their bytes, their minimum rate, and the seconds beyond it."""

    max_bytes: int
    min_rate: int
    seconds: float

    @classmethod
    def of(cls, settings: Settings) -> "UploadBounds":
        """Return the bounds that the operator has set."""
        return cls(settings.max_upload_bytes, settings.min_upload_rate, settings.upload_seconds)


async def read_upload(request: Request, accepted: AcceptedRequest, bounds: UploadBounds) -> bytes:
    """Read the bytes of the one image in the body.

    Raises:
        RequestError: the body has no file, too many bytes or an unsupported type, does not follow
            its type, or arrives too slowly.
        Busy: there is no room for the body.
        DeadlinePassed: the deadline passed first.
        Abandoned: the client has disconnected.
    """
    try:
        return await _Upload(request, accepted, bounds).read()
    except ClientDisconnect as error:
        raise Abandoned("The client has disconnected.") from error


class _Upload:
    """Reads one body."""

    def __init__(self, request: Request, accepted: AcceptedRequest, bounds: UploadBounds) -> None:
        self._request = request
        self._accepted = accepted
        self._bounds = bounds

    async def read(self) -> bytes:
        """Return the bytes of the file."""
        content_type = self._request.headers.get("content-type", "")
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type == MULTIPART:
            return await self._read_form(content_type)
        if media_type in RAW:
            return await self._read_raw()
        raise UnsupportedMediaType((MULTIPART, *RAW))

    async def _read_raw(self) -> bytes:
        sink = _Sink(self._accepted.body, self._bounds.max_bytes)
        async for chunk in self._chunks(0):
            sink.write(chunk)
        return sink.data()

    async def _read_form(self, content_type: str) -> bytes:
        form = _Form(content_type, _Sink(self._accepted.body, self._bounds.max_bytes))
        async for chunk in self._chunks(MULTIPART_OVERHEAD):
            form.feed(chunk)
        return form.finish()

    async def _chunks(self, overhead: int) -> AsyncGenerator[bytes, None]:
        """Yield the body in chunks. A slow body is cut off.

        A Content-Length above the limit, or for which there is no room, is refused before anything
        is read.
        """
        limit = self._bounds.max_bytes + overhead
        declared = self._request.headers.get("content-length", "")
        if declared.isdecimal():
            if int(declared) > limit:
                raise UploadTooLarge(self._bounds.max_bytes)
            self._accepted.body.require_room(int(declared))

        received = 0
        start = time.monotonic()
        stream = self._request.stream()
        while chunk := await self._next_chunk(stream, start, received):
            received += len(chunk)
            if received > limit:
                raise UploadTooLarge(self._bounds.max_bytes)
            yield chunk

    async def _next_chunk(
        self, stream: AsyncGenerator[bytes, None], start: float, received: int
    ) -> bytes:
        """Return the next chunk, empty at the end of the body."""
        allowed = self._bounds.seconds + received / self._bounds.min_rate
        seconds_left = start + allowed - time.monotonic()
        try:
            async with asyncio.timeout(min(seconds_left, self._accepted.seconds_left)):
                return await anext(stream, b"")
        except TimeoutError as error:
            if self._accepted.seconds_left <= 0:
                message = "The deadline passed before the whole body had arrived."
                raise DeadlinePassed(message) from error
            raise UploadTooSlow("The body arrives too slowly.") from error


class _Sink:
    """Bytes of the file, as far as they have arrived."""

    def __init__(self, body: HeldBody, max_bytes: int) -> None:
        self._body = body
        self._max_bytes = max_bytes
        self._bytes = BytesIO()

    def write(self, data: bytes) -> None:
        """Add bytes; raise UploadTooLarge or Busy if there are too many."""
        size = self._bytes.tell() + len(data)
        if size > self._max_bytes:
            raise UploadTooLarge(self._max_bytes)
        self._body.grow(size)
        self._bytes.write(data)

    def data(self) -> bytes:
        """Return the bytes. They are not copied."""
        return self._bytes.getvalue()


class _Form:
    """Parser of a multipart body. Only the file is kept, in memory, never in a temporary file."""

    def __init__(self, content_type: str, sink: _Sink) -> None:
        _, parameters = parse_options_header(content_type)
        self._header = b""
        self._value = b""
        self._in_file = False
        self._complete = False
        self._files = 0
        self._sink = sink

        try:
            self._parser = MultipartParser(
                parameters.get(b"boundary", b""),
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._add_to_header,
                    "on_header_value": self._add_to_value,
                    "on_header_end": self._end_header,
                    "on_part_data": self._add_data,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            message = "The content type of the multipart body names no usable boundary."
            raise MalformedUpload(message) from error

    def feed(self, chunk: bytes) -> None:
        """Parse the next chunk; raise MalformedUpload if it cannot be parsed."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise MalformedUpload("The multipart body cannot be parsed.") from error

    def finish(self) -> bytes:
        """Return the bytes of the one file; raise MalformedUpload or MissingFile."""
        if not self._complete:
            raise MalformedUpload("The multipart body ends before its closing boundary.")
        if not self._files:
            raise MissingFile("The form has no file in a part named 'file'.")
        return self._sink.data()

    def _begin_part(self) -> None:
        self._in_file = False

    def _add_to_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._in_file = options.get(b"name") == b"file" and b"filename" in options
            self._files += self._in_file
            if self._files > 1:
                raise MalformedUpload("The form contains more than one file.")
        self._header = b""
        self._value = b""

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._sink.write(data[start:end])

    def _end(self) -> None:
        self._complete = True
