"""Transport that closes in stages, so that an answer reaches a client that still sends."""

import asyncio
from typing import Any, Protocol

from service.api.connection.discard import DiscardBudget


class Exchange(Protocol):
    """State of the requests of one connection."""

    @property
    def is_answering(self) -> bool:
        """Whether a request waits for its answer, or has just got it."""

    @property
    def is_receiving(self) -> bool:
        """Whether the client has not sent the whole of a request."""


class StagedTransport(asyncio.Transport):
    """Transport that uvicorn's protocol uses, around that of the socket.

    If a socket is closed with bytes unread, the system resets the connection, and the client loses
    the answer. So the sending half is closed first, and the client's bytes are read on and thrown
    away (RFC 9112, section 9.6). TLS has no half that could be closed alone. There both halves
    stay open meanwhile.

    `budget`: bounds what is thrown away.
    """

    def __init__(
        self, transport: asyncio.Transport, exchange: Exchange, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__()
        self.budget = DiscardBudget(transport, loop)

        self._transport = transport
        self._loop = loop
        self._exchange = exchange
        self._written = 0
        self._is_closing = False
        self._is_paused = False
        self._is_held = False

    @property
    def taken_bytes(self) -> int:
        """Number of bytes that have left this process for the client."""
        return self._written - self._transport.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return a fact about the connection."""
        return self._transport.get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        """Return the number of bytes that wait to be sent."""
        return self._transport.get_write_buffer_size()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes, unless the connection is being closed."""
        if not self._is_closing:
            self._written += len(data)
            self._transport.write(data)

    def is_closing(self) -> bool:
        """Return whether the connection is being closed."""
        return self._is_closing or self._transport.is_closing()

    def close(self) -> None:
        """Close once everything is sent: in stages, if the client may be sending."""
        if self.is_closing():
            return

        self._is_closing = True
        exchange = self._exchange
        can_half_close = self._transport.can_write_eof()
        if exchange.is_receiving or (exchange.is_answering and can_half_close):
            self._close_in_stages(can_half_close=can_half_close)
        else:
            self._transport.close()

    def abort(self) -> None:
        """Close at once, without sending the rest."""
        self._transport.abort()

    def pause_reading(self) -> None:
        """Stop reading: the application has enough."""
        self._is_paused = True
        self._switch_reading()

    def resume_reading(self) -> None:
        """Read on: the application wants more."""
        self._is_paused = False
        self._switch_reading()

    def hold(self, *, is_held: bool) -> None:
        """Stop reading while requests that have arrived wait for their turn, or read on."""
        self._is_held = is_held
        self._switch_reading()

    def pause_for_a_turn(self) -> None:
        """Let other connections have their turn before more is read."""
        self._transport.pause_reading()
        self._loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        if self._is_closing:
            self._transport.resume_reading()
        else:
            self._switch_reading()

    def _close_in_stages(self, *, can_half_close: bool) -> None:
        if can_half_close:
            self._transport.write_eof()
        self._transport.resume_reading()
        self.budget.start()

    def _switch_reading(self) -> None:
        if self.is_closing():
            return

        if self._is_paused or self._is_held:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
