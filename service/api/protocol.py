"""HTTP/1.1 as uvicorn speaks it over httptools, with a parser and a transport of our own.

Heads are bounded and offers of an upgrade are ignored (`RequestParser`). Connections are closed in
stages (`StagedTransport`). Refused bytes are answered as problem+json. Slow clients are
disconnected.
"""

import asyncio
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.api.connection.request_parser import RequestParser
from service.api.connection.staged_transport import StagedTransport
from service.api.problems.documentation import MEDIA_TYPE
from service.api.problems.handlers import problem
from service.api.response_headers import SECURITY_HEADERS
from service.errors import MammolensError

HEAD_SECONDS = 10.0
"""Seconds for a request's head to arrive, and for the client to take a part of an answer.

Then the connection is closed.
"""


class ProblemProtocol(HttpToolsProtocol):
    """Protocol of one connection.

    Bytes that arrive while a whole request waits for its turn are held unparsed. So a client that
    sends many requests at once takes no more memory than one that sends one.
    """

    parser: RequestParser  # type: ignore[assignment]  # it does what uvicorn asks of a parser
    transport: StagedTransport
    _head_timer: asyncio.TimerHandle | None = None
    _answer_timer: asyncio.TimerHandle | None = None
    _held = b""
    _unanswered = 0

    @property
    def is_answering(self) -> bool:
        """Whether a request waits for its answer, or has just got it."""
        return self._unanswered > 0

    @property
    def is_receiving(self) -> bool:
        """Whether the client has not sent the whole of a request, or sends what was refused."""
        parser = self.parser
        return parser is not None and (parser.is_in_body or parser.refusal is not None)

    # Callbacks of the socket

    def connection_made(  # type: ignore[override]  # as in uvicorn
        self, transport: asyncio.Transport
    ) -> None:
        """Start the timer for the head of the first request."""
        super().connection_made(StagedTransport(transport, self, self.loop))
        self.parser = RequestParser(self)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers."""
        self._held = b""
        self._stop_head_timer()
        if self._answer_timer is not None:
            self._answer_timer.cancel()
        self.transport.budget.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the bytes. After the last answer, and after refused bytes, throw them away."""
        if self.transport.budget.is_running:
            self.transport.budget.spend(len(data))
            self.transport.pause_for_a_turn()
        if not self.transport.is_closing() and self.parser.refusal is None:
            self._held += data
            self._parse_held()

    def pause_writing(self) -> None:
        """Watch that the client takes the answer, which it does more slowly than it is sent."""
        super().pause_writing()
        if self._answer_timer is None:
            self._watch_answer(None)

    # Callbacks of the parser

    def on_headers_complete(self) -> None:
        """Start the request."""
        self._stop_head_timer()
        if self.parser.get_http_version() == "1.0":
            self.expect_100_continue = False  # RFC 9110, section 10.1.1
        super().on_headers_complete()
        self._unanswered += 1

    def on_message_complete(self) -> None:
        """End the body. If the rest of it was thrown away, the connection is idle from now on."""
        super().on_message_complete()
        if self.transport.budget.is_running:
            self.transport.budget.stop()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    # Callback of the application

    def on_response_complete(self) -> None:
        """Go on with the bytes that have arrived, and watch that the client takes the answer."""
        self._unanswered -= 1
        super().on_response_complete()
        if self._answer_timer is None:
            self._watch_answer(None)
        if self.transport.is_closing():
            return

        if self.is_receiving and not self._unanswered:
            self.transport.budget.start()
        self.loop.call_soon(self._parse_held)

    def _parse_held(self) -> None:
        """Parse what has arrived, until a whole request has to wait for its turn."""
        if self.transport.is_closing():
            return

        rest = memoryview(self._held)
        while rest and not self.pipeline and self.parser.refusal is None:
            size = self.parser.next_bytes
            super().data_received(rest[:size])  # type: ignore[arg-type]  # any buffer will do
            rest = rest[size:]
            if self.parser.is_costly:
                self.loop.call_soon(self._parse_held)
                break

        self._held = bytes(rest)
        if self.parser.refusal is not None:
            self._held = b""
            self._answer_refusal(self.parser.refusal)
        self.transport.hold(is_held=bool(self._held) or self.parser.refusal is not None)

        if self.parser.is_in_head and not self._unanswered and self._head_timer is None:
            self._start_head_timer()

    def _answer_refusal(self, refusal: MammolensError) -> None:
        """Answer refused bytes once all requests before them are answered, and close."""
        cycle = self.cycle
        is_in_request = self.parser.is_in_body and not cycle.response_complete
        if self._unanswered > is_in_request:
            return

        if not self.parser.is_in_body or not cycle.response_started:
            self._send_problem(refusal)
        if is_in_request:
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()

    def _send_problem(self, error: MammolensError) -> None:
        answer = problem(error)
        body = answer.model_dump_json(exclude_none=True).encode()
        headers = SECURITY_HEADERS | {
            "Content-Type": MEDIA_TYPE,
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        lines = [b"HTTP/1.1 %d %b" % (answer.status, HTTPStatus(answer.status).phrase.encode())]
        lines += [b"%b: %b" % field for field in self.server_state.default_headers]
        lines += [f"{name.lower()}: {value}".encode("ascii") for name, value in headers.items()]
        self.transport.write(b"\r\n".join([*lines, b"", body]))

    # Timers

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _watch_answer(self, taken_before: int | None) -> None:
        """Close the connection if the client has taken nothing of an answer since."""
        self._answer_timer = None
        taken = self.transport.taken_bytes
        if taken == taken_before:
            self.transport.abort()
        elif self.transport.get_write_buffer_size():
            self._answer_timer = self.loop.call_later(HEAD_SECONDS, self._watch_answer, taken)
