"""Read the image file from a request's body, into bounded memory and never onto a disk."""

import asyncio
from collections.abc import AsyncGenerator

from fastapi import Request
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect

from service.errors import (
    Abandoned,
    MalformedUpload,
    MissingFile,
    UnsupportedMediaType,
    UploadTooLarge,
    UploadTooSlow,
)

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


async def read_upload(request: Request, max_bytes: int, max_seconds: float) -> bytes:
    """Read the bytes of the one image in the body.

    Raises:
        RequestError: the body has no file, too many bytes or an unsupported type, does not follow
            its type, or does not arrive within `max_seconds`.
        Abandoned: the client has disconnected.
    """
    try:
        async with asyncio.timeout(max_seconds):
            return await _read(request, max_bytes)
    except TimeoutError as error:
        raise UploadTooSlow("The body did not arrive in time.") from error
    except ClientDisconnect as error:
        raise Abandoned("The client has disconnected.") from error


async def _read(request: Request, max_bytes: int) -> bytes:
    content_type = request.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == MULTIPART:
        return await _read_form(request, max_bytes)
    if media_type in RAW:
        return b"".join([chunk async for chunk in _chunks(request, max_bytes, 0)])
    raise UnsupportedMediaType((MULTIPART, *RAW))


async def _read_form(request: Request, max_bytes: int) -> bytes:
    form = _Form(request.headers["content-type"])
    async for chunk in _chunks(request, max_bytes, MULTIPART_OVERHEAD):
        form.feed(chunk)

    data = form.finish()
    if len(data) > max_bytes:
        raise UploadTooLarge(max_bytes)
    return data


class _Form:
    """Parser of a multipart body. Only the file is kept, in memory, never in a temporary file."""

    def __init__(self, content_type: str) -> None:
        _, parameters = parse_options_header(content_type)
        self._header = b""
        self._value = b""
        self._in_file = False
        self._complete = False
        self._files: list[list[bytes]] = []

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
        if len(self._files) > 1:
            raise MalformedUpload("The form contains more than one file.")
        return b"".join(self._files[0])

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
            if self._in_file:
                self._files.append([])
        self._header = b""
        self._value = b""

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._files[-1].append(data[start:end])

    def _end(self) -> None:
        self._complete = True


async def _chunks(request: Request, max_bytes: int, overhead: int) -> AsyncGenerator[bytes, None]:
    """Yield the body in chunks.

    A Content-Length above the limit is refused before anything is read.
    """
    limit = max_bytes + overhead
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise UploadTooLarge(max_bytes)

    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limit:
            raise UploadTooLarge(max_bytes)
        yield chunk
