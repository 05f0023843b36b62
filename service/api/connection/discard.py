"""Bounds of the bytes that are read only to be thrown away."""

import asyncio

DISCARD_BYTES = 128 * 1024 * 1024
DISCARD_SECONDS = 30.0
IDLE_SECONDS = 5.0
"""Seconds without a byte from the client, and with nothing left to send to it."""


class DiscardBudget:
    """Bytes and seconds in which a client may send the rest of a request that was answered.

    A client that sends reads its answer only after its last byte. The connection is closed when
    the budget is spent.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._bytes = 0
        self._end = 0.0
        self._is_idle = True

    @property
    def is_running(self) -> bool:
        """Whether bytes are being thrown away."""
        return self._timer is not None

    def start(self) -> None:
        """Begin, unless it has begun."""
        if self._timer is None:
            self._bytes = DISCARD_BYTES
            self._end = self._loop.time() + DISCARD_SECONDS
            self._wait()

    def spend(self, size: int) -> None:
        """Count bytes that were thrown away."""
        self._is_idle = False
        self._bytes -= size
        if self._bytes < 0:
            self._give_up()

    def stop(self) -> None:
        """End: the request has ended, or the connection."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        self._is_idle = True
        self._timer = self._loop.call_later(IDLE_SECONDS, self._check)

    def _check(self) -> None:
        """Give up on an idle client. The time begins once the answer has left."""
        if self._transport.get_write_buffer_size():
            self._end = self._loop.time() + DISCARD_SECONDS
            self._is_idle = False

        if self._is_idle or self._loop.time() > self._end:
            self._give_up()
        else:
            self._wait()

    def _give_up(self) -> None:
        self.stop()
        self._transport.close()
