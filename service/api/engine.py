"""The model and the places in which it may run: owned by the app's lifespan, reached through dependencies."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request

from service.errors import Busy, NotReady
from service.imaging import IsolatedReader, Limits, Read
from service.model import Model
from service.settings import Settings

T = TypeVar("T")


class Engine:
    """A model that may still be loading, its readers and threads, and a bounded number of images in memory."""

    def __init__(self, settings: Settings) -> None:
        self.max_upload_bytes = settings.max_upload_bytes
        self._settings = settings
        self._reader: IsolatedReader | None = None
        self._places = CapacityLimiter(settings.workers)
        self._free = settings.max_requests
        self._model: Model | None = None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A stretch in which image files can be read, in processes of their own."""
        limits = Limits(self._settings.max_pixels, self._settings.max_decode_seconds)
        self._reader = IsolatedReader(self._settings.workers, limits)
        try:
            yield
        finally:
            self._reader.close()
            self._reader = None

    @property
    def read(self) -> Read:
        """How image files are read."""
        if self._reader is None:
            raise NotReady("The service is not running.")
        return self._reader

    @property
    def reader_pids(self) -> list[int]:
        """The processes that read image files, for those who watch them."""
        return self._reader.pids if self._reader else []

    def require_model(self) -> Model:
        """The model.

        Raises:
            NotReady: it is not loaded and checked yet.
        """
        if self._model is None:
            raise NotReady("The model is still being loaded and checked.")
        return self._model

    def install(self, model: Model) -> None:
        """Makes the service ready with that model."""
        self._model = model

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns, computed in one of the worker threads; its place is held until it really ends."""
        return await to_thread.run_sync(work, limiter=self._places)

    def take_place(self) -> None:
        """Counts one more image in memory.

        Raises:
            Busy: there are as many as may be.
        """
        if self._free == 0:
            raise Busy("As many images are being worked on as fit the service's memory.")
        self._free -= 1

    def leave_place(self) -> None:
        """Counts one image less in memory."""
        self._free += 1


def get_engine(request: Request) -> Engine:
    """The engine of the app that got this request."""
    engine: Engine = request.app.state.engine
    return engine


async def admit(engine: Annotated[Engine, Depends(get_engine)]) -> AsyncIterator[Engine]:
    """The engine, with a place in memory held until the answer is sent."""
    engine.require_model()  # refuse before the body is read
    engine.take_place()
    try:
        yield engine
    finally:
        engine.leave_place()


AnyEngine = Annotated[Engine, Depends(get_engine)]
ReadyEngine = Annotated[Engine, Depends(admit)]
