"""Objects for archives as the body of a response, alone or as the parts of one body."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import Response
from starlette.types import Message, Receive, Scope, Send

from service.api import responses
from service.api.negotiation import MediaType
from service.errors import NotStorable
from service.runtime.body_memory import HeldAnswer

BOUNDARY = "mammolens"
"""Boundary of every answer with several objects.

It is always the same, so that a client can name it before the answer is there.
"""
MIN_RATE = 32_768
"""Minimum rate at which a client must take the objects on average, in bytes per second."""
GRACE_SECONDS = 10.0
"""Seconds beyond those of the bytes at the minimum rate. Then the connection is closed."""
_DELIMITER = b"--" + BOUNDARY.encode("ascii")
_PART_HEAD = _DELIMITER + b"\r\nContent-Type: application/dicom\r\n\r\n"
_PART_END = b"\r\n"
_END = _DELIMITER + b"--\r\n"
_CHUNK_BYTES = 256 * 1024  # handed to the connection at a time
_BINARY = {"type": "string", "format": "binary"}


def document_object(description: str) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI response of a route that answers with one object."""
    return _document(description, MediaType.DICOM)


def document_objects(description: str) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI response of a route that answers with several objects."""
    return _document(description, MediaType.RELATED)


def _document(description: str, media_type: MediaType) -> dict[int | str, dict[str, Any]]:
    content = {media_type.value: {"schema": _BINARY}}
    headers = responses.PICTURE_HEADERS
    return {200: {"description": description, "content": content, "headers": headers}}


class HeldResponse(Response):
    """Response whose parts count against the bound of bodies until they are sent.

    It is handed over piece by piece, at the pace at which the client takes it. A client that is too
    slow would hold the memory of others, and is disconnected.
    """

    def __init__(self, held: HeldAnswer, media_type: MediaType, headers: Mapping[str, str]) -> None:
        self._held = held
        self._is_related = media_type is MediaType.RELATED
        kind = f'{media_type}; type="{MediaType.DICOM}"; boundary={BOUNDARY}'
        self._around = len(_PART_HEAD) + len(_PART_END) if self._is_related else 0
        size = held.size + self._around * len(held.parts) + len(_END) * self._is_related

        super().__init__(
            headers={**headers, "content-length": str(size)},
            media_type=kind if self._is_related else media_type,
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
        while self._held.parts:
            part = self._held.parts.pop(0)
            if self._is_related:
                yield _PART_HEAD
            for start in range(0, len(part), _CHUNK_BYTES):
                yield part[start : start + _CHUNK_BYTES]
            if self._is_related:
                yield _PART_END
        if self._is_related:
            yield _END


def check_part(content: bytes) -> None:
    """Check that an object does not hold the boundary.

    Of bytes that are not made for it, one file in 10^17 would.

    Raises:
        NotStorable: it does. A text of the header was made to end the part early.
    """
    if _DELIMITER in content:
        raise NotStorable("A text in the header of the file holds the boundary of the answer.")
