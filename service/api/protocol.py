"""HTTP/1.1 as uvicorn speaks it, with three changes.

Errors of the parser are sent as problem+json. Slow clients are disconnected. An offered protocol
upgrade is ignored.
"""

import asyncio

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.api.problems.documentation import MEDIA_TYPE
from service.api.problems.handlers import problem
from service.api.problems.http_errors import MalformedRequest
from service.api.response_headers import SECURITY_HEADERS

HEAD_SECONDS = 10.0
"""Seconds for a request's head to arrive, and for the client to read an answer.

Then the connection is closed.
"""


class ProblemProtocol(HttpToolsProtocol):
    """Protocol of one connection."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(  # type: ignore[override]  # as in uvicorn
        self, transport: asyncio.Transport
    ) -> None:
        """Start the timer for the head of the first request."""
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the bytes. If they begin a request, start the timer for the rest of its head."""
        self._unset_keepalive_if_required()
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
            return
        if self._timer is None and (self.cycle is None or self.cycle.response_complete):
            self._start_timer()

    def on_headers_complete(self) -> None:
        """Start the request, unless it offers an upgrade: then its head is parsed again first."""
        if self.parser.should_upgrade():
            return
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the body. For an offered upgrade httptools ends it too early, so that is ignored."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Start the timer for the client to read the answer."""
        super().on_response_complete()
        if unread := self.transport.get_write_buffer_size():
            self.loop.call_later(HEAD_SECONDS, self._abort_if_unread, unread)

    def send_400_response(self, msg: str) -> None:
        """Send a problem and close the connection. `msg`: uvicorn's description."""
        body = problem(MalformedRequest(msg)).model_dump_json(exclude_none=True).encode()
        headers = SECURITY_HEADERS | {
            "Content-Type": MEDIA_TYPE,
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        lines = (f"{name.lower()}: {value}\r\n" for name, value in headers.items())
        head = "HTTP/1.1 400 Bad Request\r\n" + "".join(lines) + "\r\n"
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()

    def _parse(self, data: bytes) -> None:
        """Feed the parser.

        A request that offers an upgrade (RFC 9110, section 7.8) is parsed as an ordinary one.

        httptools stops at the end of such a head, before the body. It would take the body for the
        next request.

        Raises:
            httptools.HttpParserError: the bytes are not HTTP, or the method is CONNECT.
        """
        rest = memoryview(data)
        while rest:
            try:
                self.parser.feed_data(rest)
            except httptools.HttpParserUpgrade as stopped:
                rest = rest[stopped.args[0] :]
            else:
                return

            method = self.parser.get_method()
            if method == b"CONNECT":
                raise httptools.HttpParserInvalidMethodError("CONNECT")

            head = self._head_without_upgrade(method)
            self.parser = httptools.HttpRequestParser(self)
            # As uvicorn sets it.
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            self.parser.feed_data(head)

    def _head_without_upgrade(self, method: bytes) -> bytes:
        """The head that was just parsed, without the offer of an upgrade."""
        version = self.parser.get_http_version().encode("ascii")
        lines = [b"%b %b HTTP/%b" % (method, self.url, version)]
        for name, value in self.headers:
            if name == b"connection":
                options = [option.strip() for option in value.split(b",")]
                kept = b", ".join(option for option in options if option.lower() != b"upgrade")
                lines.append(b"connection: %b" % kept)
            elif name != b"upgrade":
                lines.append(b"%b: %b" % (name, value))
        return b"\r\n".join([*lines, b"", b""])

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _abort_if_unread(self, unread: int) -> None:
        """Close the connection if the client has read none of the `unread` bytes."""
        if self.transport.get_write_buffer_size() >= unread:
            self.transport.abort()
