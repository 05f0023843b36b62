"""HTTP/1.1 as uvicorn speaks it, with three changes.

Errors of the parser are sent as problem+json. Slow clients are disconnected. An offered protocol upgrade is ignored.
"""

import asyncio

import httptools
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
        self._unset_keepalive_if_required()
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
            return
        if self._limit is None and (self.cycle is None or self.cycle.response_complete):
            self._expect()

    def on_headers_complete(self) -> None:
        """Start the request, unless it offers an upgrade: it then starts when its head is parsed again without it."""
        if self.parser.should_upgrade():
            return
        self._stop_expecting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the body; httptools reports none for a request that offers an upgrade, although it may have one."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

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

    def _parse(self, data: bytes) -> None:
        """Feed the parser. A request that offers an upgrade (RFC 9110, section 7.8) is parsed as an ordinary one.

        httptools stops at the end of such a head, before the body. It would take the body for the next request.

        Raises:
            httptools.HttpParserError: the bytes are not HTTP, or the method is CONNECT.
        """
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as stopped:
            method = self.parser.get_method()
            if method == b"CONNECT":
                raise httptools.HttpParserInvalidMethodError("CONNECT") from stopped

            head = self._head_without_upgrade(method)
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn sets it
            self._parse(head + data[stopped.args[0] :])

    def _head_without_upgrade(self, method: bytes) -> bytes:
        """The head that was just parsed, without the offer of an upgrade."""
        version = self.parser.get_http_version().encode("ascii")
        lines = [b"%b %b HTTP/%b" % (method, self.url, version)]
        for name, value in self.headers:
            if name == b"connection":
                options = [option.strip() for option in value.split(b",")]
                value = b", ".join(option for option in options if option.lower() != b"upgrade")  # noqa: PLW2901
            if name != b"upgrade":
                lines.append(b"%b: %b" % (name, value))
        return b"\r\n".join([*lines, b"", b""])

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
