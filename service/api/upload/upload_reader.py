"""Read the image file from a request's body, into bounded memory and never onto a disk."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect

from service.api.upload.body_types import AVAILABLE, DICOM, MULTIPART, RAW, RELATED
from service.api.upload.content_coding import GzipDecoder, is_gzip
from service.api.upload.file_sink import FileSink
from service.api.upload.multipart_file import MultipartFile
from service.errors import (
    Abandoned,
    DeadlinePassed,
    UnsupportedMediaType,
    UploadTooLarge,
    UploadTooSlow,
)
from service.runtime.engine import AcceptedRequest
from service.settings import Settings

MULTIPART_OVERHEAD = 64 * 1024
"""Bytes allowed for boundaries, part headers and small fields around the file."""


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


@dataclass(frozen=True, slots=True)
class Upload:
    """The bytes of the one image in a body, and the fields of a form: their names and values."""

    data: bytes
    fields: Sequence[tuple[str, str]] = ()


async def read_upload(request: Request, accepted: AcceptedRequest, bounds: UploadBounds) -> Upload:
    """Read the one image in the body.

    Raises:
        RequestError: the body has no file, too many bytes or an unsupported type, does not follow
            its type, or arrives too slowly.
        Busy: there is no room for the body.
        DeadlinePassed: the deadline passed first.
        Abandoned: the client has disconnected.
    """
    try:
        return await _UploadReader(request, accepted, bounds).read()
    except ClientDisconnect as error:
        raise Abandoned("The client has disconnected.") from error


class _UploadReader:
    """Reads one body."""

    def __init__(self, request: Request, accepted: AcceptedRequest, bounds: UploadBounds) -> None:
        self._request = request
        self._accepted = accepted
        self._bounds = bounds

    async def read(self) -> Upload:
        """Return the file and the fields."""
        content_type = self._request.headers.get("content-type", "")
        media_type = _media_type(content_type)
        sink = FileSink(self._accepted.body, self._bounds.max_bytes)

        if media_type in RAW:
            async for piece in self._decoded(0):
                sink.write(piece)
            return Upload(sink.data())

        if media_type is not None:
            body = MultipartFile(content_type, sink, is_form=media_type == MULTIPART)
            async for piece in self._decoded(MULTIPART_OVERHEAD):
                body.feed(piece)
            body.finish()
            return Upload(sink.data(), body.fields())

        raise UnsupportedMediaType(AVAILABLE)

    def _decoded(self, overhead: int) -> AsyncGenerator[bytes, None]:
        """Return the body in pieces, without its content coding."""
        limit = self._bounds.max_bytes + overhead
        # A list in several lines is one list (RFC 9110, section 5.3).
        codings = ",".join(self._request.headers.getlist("content-encoding"))
        return self._unzipped(limit) if is_gzip(codings) else self._chunks(limit)

    async def _unzipped(self, limit: int) -> AsyncGenerator[bytes, None]:
        decoder = GzipDecoder()
        unpacked = 0
        async for chunk in self._chunks(limit):
            for piece in decoder.decode(chunk):
                unpacked += len(piece)
                if unpacked > limit:
                    raise UploadTooLarge(self._bounds.max_bytes)
                yield piece
                # A chunk may unpack to a thousand times its size: let others run in between.
                await asyncio.sleep(0)
        decoder.finish()

    async def _chunks(self, limit: int) -> AsyncGenerator[bytes, None]:
        """Yield the body in chunks as they arrive. A slow body is cut off.

        A Content-Length above the limit, or for which there is no room, is refused before anything
        is read.
        """
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
        until_too_slow = start + allowed - time.monotonic()
        until_deadline = self._accepted.seconds_left
        try:
            async with asyncio.timeout(min(until_too_slow, until_deadline)):
                return await anext(stream, b"")
        except TimeoutError as error:
            if until_deadline < until_too_slow:
                message = "The deadline passed before the whole body had arrived."
                raise DeadlinePassed(message) from error
            raise UploadTooSlow("The body arrives too slowly.") from error


def _media_type(content_type: str) -> str | None:
    """Return the type of a supported body, None for any other."""
    name, parameters = parse_options_header(content_type)
    media_type = name.strip().decode("latin-1")
    if media_type == MULTIPART or media_type in RAW:
        return media_type
    # DICOM PS3.18, 8.6.1.2.1: the parameter `type` names the type of the parts.
    is_dicom = parameters.get(b"type", b"").lower() == DICOM.encode()
    return RELATED if media_type == RELATED and is_dicom else None
