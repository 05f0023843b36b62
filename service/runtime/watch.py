"""Watch for new versions of the model. It never ends a healthy service."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from service.errors import BundleError, BundleUnreadable
from service.model import Stamp

_log = logging.getLogger("mammolens")


class ModelWatch:
    """Looks for a newer or changed version, and loads each once.

    A version that cannot be read is tried again at each look, as its file system may be away. One
    that is damaged is tried again when a file of it changes. Each state is logged once.

    `look` returns the stamp of the newest version. `load` loads and serves it.
    """

    def __init__(
        self, look: Callable[[], Stamp], load: Callable[[], Awaitable[object]], loaded: Stamp | None
    ) -> None:
        self._look = look
        self._load = load
        self._loaded = loaded
        self._state = ""
        self._refusal = ""

    async def run(self, seconds: float) -> None:
        """Look at that interval, forever."""
        while True:
            await asyncio.sleep(seconds)

            # Collected, not caught: any error of a new version leaves the old one in service.
            (outcome,) = await asyncio.gather(self._step(), return_exceptions=True)
            if isinstance(outcome, BaseException):
                self._report(_describe(outcome), outcome)
            else:
                self._report(outcome, None)

    async def _step(self) -> str:
        """Look, load what is new, and return why the newest version is not served, if so."""
        latest = await asyncio.to_thread(self._look)
        if latest == self._loaded:
            return self._refusal

        self._loaded = latest
        (error,) = await asyncio.gather(self._load(), return_exceptions=True)
        if not isinstance(error, BaseException):
            self._refusal = ""
            return ""

        self._refusal = _describe(error)
        if isinstance(error, BundleUnreadable):
            self._loaded = None
        raise error

    def _report(self, state: str, error: BaseException | None) -> None:
        """Log the outcome of a look if it is another one than before."""
        if state == self._state:
            return

        self._state = state
        if not state:
            _log.info("the newest version of the model can be read and is served")
        elif error is None or isinstance(error, BundleError | OSError):
            _log.error("%s", state)
        else:
            _log.error("%s", state, exc_info=error)


def _describe(error: BaseException) -> str:
    if isinstance(error, BundleError):
        return f"the new version of the model cannot be served: {error}"
    if isinstance(error, OSError):
        return f"the model directory cannot be read: {error.strerror}"
    return f"unexpected error in the new version of the model: {type(error).__name__}"
