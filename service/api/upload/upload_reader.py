"""Read image files from a request's body, into bounded memory and never onto a disk."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect

from service.api.upload.body_types import DICOM, MULTIPART, RELATED, UNNAMED, BodyShape
from service.api.upload.content_coding import GzipDecoder, is_gzip
from service.api.upload.file_sink import FileSink
from service.api.upload.multipart_files import MultipartFiles
from service.api.upload.upload_bounds import UploadBounds
from service.errors import Abandoned, DeadlinePassed, UnsupportedMediaType, UploadTooSlow
from service.records import NamedFacts
from service.runtime.engine import AcceptedRequest

MULTIPART_OVERHEAD = 64 * 1024
"""Bytes allowed for boundaries, part headers and small fields around the files."""


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """The bytes of one file, and the side and the view that its part's name tells."""

    data: bytes = field(repr=False)
    named: NamedFacts = UNNAMED


@dataclass(frozen=True, slots=True)
class Upload:
    """The files in a body, at least one, and the fields of a form: their names and values."""

    files: list[UploadedFile]
    fields: Sequence[tuple[str, str]] = ()


async def read_upload(
    request: Request, accepted: AcceptedRequest, bounds: UploadBounds, shape: BodyShape
) -> Upload:
    """Read the files in the body.

    Raises:
        RequestError: the body has no file, too many files or bytes, or an unsupported type, does
            not follow its type, or arrives too slowly.
        Busy: there is no room for the body.
        DeadlinePassed: the deadline passed first.
        Abandoned: the client has disconnected.
    """
    try:
        return await _UploadReader(request, accepted, bounds, shape).read()
    except ClientDisconnect as error:
        raise Abandoned("The client has disconnected.") from error


class _UploadReader:
    """Reads one body."""

    def __init__(
        self, request: Request, accepted: AcceptedRequest, bounds: UploadBounds, shape: BodyShape
    ) -> None:
        self._request = request
        self._accepted = accepted
        self._bounds = bounds
        self._shape = shape

    async def read(self) -> Upload:
        """Return the files and the fields."""
        content_type = self._request.headers.get("content-type", "")
        media_type = _media_type(content_type)
        sink = FileSink(self._accepted.body, self._bounds)

        if media_type in self._shape.raw:
            sink.begin()
            async for piece in self._decoded(0):
                sink.write(piece)
            return Upload([UploadedFile(data) for data in sink.files()])

        if media_type in {MULTIPART, RELATED} and self._shape.files:
            is_form = media_type == MULTIPART
            body = MultipartFiles(content_type, sink, self._shape, is_form=is_form)
            async for piece in self._decoded(MULTIPART_OVERHEAD):
                body.feed(piece)
            body.finish()
            return Upload(list(map(UploadedFile, sink.files(), body.named())), body.fields())

        raise UnsupportedMediaType(self._shape.available)

    def _decoded(self, overhead: int) -> AsyncGenerator[bytes, None]:
        """Return the body in pieces, without its content coding."""
        # A list in several lines is one list (RFC 9110, section 5.3).
        codings = ",".join(self._request.headers.getlist("content-encoding"))
        return self._unzipped(overhead) if is_gzip(codings) else self._chunks(overhead)

    async def _unzipped(self, overhead: int) -> AsyncGenerator[bytes, None]:
        decoder = GzipDecoder()
        unpacked = 0
        async for chunk in self._chunks(overhead):
            for piece in decoder.decode(chunk):
                unpacked += len(piece)
                self._bounds.check_body(unpacked, overhead)
                yield piece
                # A chunk may unpack to a thousand times its size: let others run in between.
                await asyncio.sleep(0)
        decoder.finish()

    async def _chunks(self, overhead: int) -> AsyncGenerator[bytes, None]:
        """Yield the body in chunks as they arrive. A slow body is cut off.

        A Content-Length above the bound, or for which there is no room, is refused before anything
        is read.
        """
        declared = self._request.headers.get("content-length", "")
        if declared.isdecimal():
            self._bounds.check_body(int(declared), overhead)
            self._accepted.body.require_room(int(declared))

        received = 0
        start = time.monotonic()
        stream = self._request.stream()
        while chunk := await self._next_chunk(stream, start, received):
            received += len(chunk)
            self._bounds.check_body(received, overhead)
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
    """Return the type of a body, None for parts that are no DICOM."""
    name, parameters = parse_options_header(content_type)
    media_type = name.strip().decode("latin-1")
    # DICOM PS3.18, 8.6.1.2.1: the parameter `type` names the type of the parts.
    is_dicom = parameters.get(b"type", b"").lower() == DICOM.encode()
    return None if media_type == RELATED and not is_dicom else media_type
