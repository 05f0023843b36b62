"""HTTP/1.1 as uvicorn speaks it, but for two things: what it says itself is a problem, too, and nobody may dawdle."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.api.access import SECURITY_HEADERS
from service.api.kinds import MalformedRequest
from service.api.problems import MEDIA_TYPE, describe

HEAD_SECONDS = 10.0
"""How long a request's head may take to arrive, and an answer to be taken; then the connection is closed."""


class ProblemProtocol(HttpToolsProtocol):
    """One connection."""

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begins it; the head of a request is awaited."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends it."""
        self._stop_expecting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes what has arrived; where it begins a request, the rest of its head is awaited."""
        super().data_received(data)
        if self._limit is None and (self.cycle is None or self.cycle.response_complete):
            self._expect()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._stop_expecting()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """The answer is on its way; what the caller does not take of it in time is dropped with the connection."""
        super().on_response_complete()
        if left := self.transport.get_write_buffer_size():
            self.loop.call_later(HEAD_SECONDS, self._drop, left)

    def send_400_response(self, msg: str) -> None:
        """Sends the problem and closes the connection; `msg` is uvicorn's own word for it."""
        problem = describe(MalformedRequest(msg)).model_dump_json(exclude_none=True).encode()
        secure = "".join(f"{name.lower()}: {value}\r\n" for name, value in SECURITY_HEADERS.items())
        head = (
            f"HTTP/1.1 400 Bad Request\r\n{secure}"
            f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(problem)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + problem)
        self.transport.close()

    def _expect(self) -> None:
        self._limit = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop_expecting(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _drop(self, left: int) -> None:
        """Closes the connection if none of the bytes that were `left` to be sent has been taken."""
        if self.transport.get_write_buffer_size() >= left:
            self.transport.abort()
