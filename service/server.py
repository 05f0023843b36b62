"""The server: listens, and ends without cutting anyone off."""

import logging
import time
from types import FrameType

import uvicorn

from service.api.engine import Engine
from service.api.protocol import ProblemProtocol
from service.settings import Settings

_log = logging.getLogger("mammolens")
_GRACE_SECONDS = 5.0  # beyond the last deadline, for answers on their way
_IDLE_TICKS = 3  # a connection that was already made may still bring a request


def configure(app: object, settings: Settings) -> uvicorn.Config:
    """How uvicorn serves that application."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # an ASGI application
        host=settings.host,
        port=settings.port,
        http=ProblemProtocol,
        ws="none",
        access_log=False,
        log_config=None,
        backlog=2048,
    )


class DrainingServer(uvicorn.Server):
    """A server that, told to end, first refuses what is new and answers what it has begun; told again, ends at once."""

    def __init__(self, config: uvicorn.Config, engine: Engine, max_seconds: float) -> None:
        super().__init__(config)
        self._engine = engine
        self._max_seconds = max_seconds + _GRACE_SECONDS
        self._end = 0.0
        self._idle = 0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begins to drain (SIGTERM, SIGINT)."""
        if self._engine.is_draining:
            super().handle_exit(sig, frame)
            return
        _log.info("draining: nothing new is taken, what has begun is answered")
        self._end = time.monotonic() + self._max_seconds
        self._engine.drain()

    async def on_tick(self, counter: int) -> bool:
        """Whether to end now; asked every tenth of a second."""
        if self._engine.is_draining:
            self._idle = 0 if self.server_state.tasks else self._idle + 1
            self.should_exit |= self._idle >= _IDLE_TICKS or time.monotonic() > self._end
        return await super().on_tick(counter)
