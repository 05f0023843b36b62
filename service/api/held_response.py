"""Large answers as the body of a response, alone or as the parts of one body."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fastapi import Response
from starlette.types import Message, Receive, Scope, Send

from service.api.negotiation import MediaType
from service.errors import NotStorable
from service.runtime.body_memory import HeldAnswer

BOUNDARY = "mammolens"
"""Boundary of every answer with several parts.

It is always the same, so that a client can name it before the answer is there.
"""
MIN_RATE = 32_768
"""Minimum rate at which a client must take the parts on average, in bytes per second."""
GRACE_SECONDS = 10.0
"""Seconds beyond those of the bytes at the minimum rate. Then the connection is closed."""
_DELIMITER = b"--" + BOUNDARY.encode("ascii")
_PART_END = b"\r\n"
_END = _DELIMITER + b"--\r\n"
_CHUNK_BYTES = 256 * 1024  # handed to the connection at a time
_PARAMETERS = {
    MediaType.RELATED: f'; type="{MediaType.DICOM}"; boundary={BOUNDARY}',
    MediaType.FORM: f"; boundary={BOUNDARY}",
}


@dataclass(frozen=True, slots=True)
class FormField:
    """Name and type of a part of a form. `file_name`: None for a part that is no file."""

    name: str
    media_type: MediaType
    file_name: str | None = None

    def lines(self) -> list[str]:
        """Return the header lines of the part (RFC 7578, section 4)."""
        file_name = "" if self.file_name is None else f'; filename="{self.file_name}"'
        return [
            f'Content-Disposition: form-data; name="{self.name}"{file_name}',
            f"Content-Type: {self.media_type}",
        ]


class HeldResponse(Response):
    """Response whose parts count against the bound of bodies until they are sent.

    It is handed over piece by piece, at the pace at which the client takes it. A client that is too
    slow would hold the memory of others, and is disconnected.
    """

    def __init__(
        self,
        held: HeldAnswer,
        media_type: MediaType,
        headers: Mapping[str, str],
        fields: Sequence[FormField] = (),
    ) -> None:
        """Make the response: the only part alone, or the parts of a `multipart` type.

        `fields`: of a form, one for each part.
        """
        self._held = held
        self._heads = _heads(media_type, len(held.parts), fields)
        around = sum(len(head) + len(_PART_END) for head in self._heads)
        size = held.size + around + (len(_END) if self._heads else 0)

        super().__init__(
            headers={**headers, "content-length": str(size)},
            media_type=media_type + _PARAMETERS.get(media_type, ""),
        )

    async def __call__(
        self,
        scope: Scope,  # noqa: ARG002 - as ASGI calls it
        receive: Receive,  # noqa: ARG002 - as ASGI calls it
        send: Send,
    ) -> None:
        """Send the response, or begin it alone if the client is too slow (ASGI)."""
        try:
            for message, end in self._timed_messages():
                async with asyncio.timeout(end - time.monotonic()):
                    await send(message)
        except TimeoutError:
            return  # the server closes the connection
        finally:
            self._held.release()

    def _timed_messages(self) -> Iterator[tuple[Message, float]]:
        """Yield the messages to the server, each with the time until which it may take."""
        start = time.monotonic() + GRACE_SECONDS
        yield {"type": "http.response.start", "status": 200, "headers": self.raw_headers}, start
        sent = 0
        for chunk in self._chunks():
            message = {"type": "http.response.body", "body": chunk, "more_body": True}
            sent += len(chunk)
            yield message, start + sent / MIN_RATE
        yield {"type": "http.response.body", "body": b""}, start + sent / MIN_RATE

    def _chunks(self) -> Iterator[bytes]:
        """Yield the body. A part is forgotten once it is sent."""
        heads = iter(self._heads)
        while self._held.parts:
            part = self._held.parts.pop(0)
            if self._heads:
                yield next(heads)
            for start in range(0, len(part), _CHUNK_BYTES):
                yield part[start : start + _CHUNK_BYTES]
            if self._heads:
                yield _PART_END
        if self._heads:
            yield _END


def _heads(media_type: MediaType, parts: int, fields: Sequence[FormField]) -> list[bytes]:
    """Return the lines before each part, none if the only part is the body."""
    if media_type is MediaType.FORM:
        return [_head(field.lines()) for field in fields]
    if media_type is MediaType.RELATED:
        return [_head([f"Content-Type: {MediaType.DICOM}"])] * parts
    return []


def _head(lines: Sequence[str]) -> bytes:
    return _DELIMITER + b"\r\n" + "\r\n".join([*lines, "", ""]).encode("ascii")


def check_part(content: bytes) -> None:
    """Check that a part does not hold the boundary.

    Of bytes that are not made for it, one file in 10^17 would.

    Raises:
        NotStorable: it does. A text of the header, or the pixels, were made to end the part early.
    """
    if _DELIMITER in content:
        raise NotStorable("The file holds the boundary of the answer.")
