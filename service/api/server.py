"""The server process: uvicorn, with a graceful shutdown."""

import logging
import math
import socket
import ssl
import time
from types import FrameType

import uvicorn

from service.api.protocol import ProblemProtocol
from service.host.addresses import networks_of
from service.runtime.engine import Engine
from service.settings import Settings

_log = logging.getLogger("mammolens")
_GRACE_SECONDS = 5.0  # after the last deadline, for responses that are being sent
_IDLE_TICKS = 3  # an open connection may still bring a request


def configure(app: object, settings: Settings, tls: ssl.SSLContext | None = None) -> uvicorn.Config:
    """Return uvicorn's configuration for the application. `tls`: None for plain HTTP."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # an ASGI application
        host=settings.host,
        port=settings.port,
        http=ProblemProtocol,
        ws="none",
        access_log=False,
        proxy_headers=settings.trusted_proxies is not None,
        forwarded_allow_ips=list(networks_of(settings.trusted_proxies or "")),
        log_config=None,
        backlog=2048,
        ssl_context_factory=None if tls is None else lambda *_: tls,
        timeout_keep_alive=settings.keep_alive_seconds,
        server_header=False,
    )


class DrainingServer(uvicorn.Server):
    """Server that drains on the first signal.

    While it drains, new requests are rejected and admitted requests are answered. A second signal
    closes the port at once; a third SIGINT ends the process.
    """

    def __init__(self, config: uvicorn.Config, engine: Engine, max_seconds: float) -> None:
        super().__init__(config)
        self._engine = engine
        self._max_seconds = max_seconds + _GRACE_SECONDS
        self._end = 0.0
        self._is_told = False
        self._idle_ticks = 0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain (SIGTERM, SIGINT).

        The signal may have interrupted the writing of a log line, so the next tick logs it.
        """
        if self._engine.is_draining:
            super().handle_exit(sig, frame)
            return

        self._end = time.monotonic() + self._max_seconds
        self._engine.drain()

    async def on_tick(self, counter: int) -> bool:
        """Return whether to end now. Called every tenth of a second."""
        if self._engine.is_draining:
            self._tell_once()
            self._idle_ticks = 0 if self.server_state.tasks else self._idle_ticks + 1
            timed_out = time.monotonic() > self._end
            self.should_exit |= self._idle_ticks >= _IDLE_TICKS or timed_out

        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the port and the connections, within the time promised on the first signal."""
        if self._engine.is_draining:
            seconds = max(1.0, self._end - time.monotonic())
            self.config.timeout_graceful_shutdown = math.ceil(seconds)

        await super().shutdown(sockets)

    def _tell_once(self) -> None:
        if not self._is_told:
            _log.info("draining: new requests are rejected, admitted requests are answered")
            self._is_told = True
