"""A request's body -> the bytes of one image file, read into bounded memory and never onto a disk."""

import asyncio
from collections.abc import AsyncGenerator

from fastapi import Request
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from service.api.engine import Place
from service.api.inference import begin
from service.errors import MalformedUpload, MissingFile, UnsupportedMediaType, UploadTooLarge, UploadTooSlow

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
        "description": "One mammogram, as a form or as the raw file. What it is, its bytes say, not its name or type.",
        "content": {MULTIPART: {"schema": _FORM}} | {media_type: {"schema": _BINARY} for media_type in DECLARED},
    }
}
"""How the body is declared in OpenAPI: FastAPI cannot derive it, as the body is read by hand."""


async def read_upload(request: Request, place: Place) -> bytes:
    """The bytes of the image in the body.

    Raises:
        RequestError: no file, too many bytes, a type that is not taken, a body that does not follow its type, or one
            that takes too long.
    """
    try:
        async with asyncio.timeout(place.upload_seconds):
            data = await _read(request, place.max_upload_bytes)
    except TimeoutError as error:
        raise UploadTooSlow("The body did not arrive within the time it is given.") from error
    await begin(request, data, place.model)
    return data


async def _read(request: Request, max_bytes: int) -> bytes:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == MULTIPART:
        return await _read_form(request, max_bytes)
    if media_type in RAW:
        return b"".join([chunk async for chunk in _bounded(request, max_bytes, 0)])
    raise UnsupportedMediaType((MULTIPART, *RAW))


async def _read_form(request: Request, max_bytes: int) -> bytes:
    form = _Form(request.headers["content-type"])
    async for chunk in _bounded(request, max_bytes, MULTIPART_OVERHEAD):
        form.feed(chunk)
    data = form.finish()
    if len(data) > max_bytes:
        raise UploadTooLarge(max_bytes)
    return data


class _Form:
    """A multipart body as it arrives, of which only the file is kept: in memory, never in a temporary file."""

    def __init__(self, content_type: str) -> None:
        _, parameters = parse_options_header(content_type)
        self._header, self._value = b"", b""
        self._in_file = self._complete = False
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
            raise MalformedUpload("The content type of the multipart body names no usable boundary.") from error

    def feed(self, chunk: bytes) -> None:
        """Parses what has arrived; raises MalformedUpload."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise MalformedUpload("The multipart body cannot be parsed.") from error

    def finish(self) -> bytes:
        """The bytes of the one file; raises MalformedUpload, MissingFile."""
        if not self._complete:
            raise MalformedUpload("The multipart body ends before its closing boundary.")
        if not self._files:
            raise MissingFile("The form has no file in a part named 'file'.")
        if len(self._files) > 1:
            raise MalformedUpload("The form holds more than one file.")
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
        self._header, self._value = b"", b""

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._files[-1].append(data[start:end])

    def _end(self) -> None:
        self._complete = True


async def _bounded(request: Request, max_bytes: int, overhead: int) -> AsyncGenerator[bytes, None]:
    """The body in chunks; a length that is announced too large is refused before anything is read."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes + overhead:
        raise UploadTooLarge(max_bytes)
    read = 0
    async for chunk in request.stream():
        read += len(chunk)
        if read > max_bytes + overhead:
            raise UploadTooLarge(max_bytes)
        yield chunk
