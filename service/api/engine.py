"""What answers: the model that is served, its readers, and the places in which requests are worked on."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Request
from starlette.requests import ClientDisconnect

from service import memory
from service.admission import Admission, Permit
from service.api.metrics import Metrics
from service.api.options import Absent
from service.errors import Abandoned, BundleError, Busy, Draining, NotReady
from service.imaging import IsolatedReader, Limits, Read
from service.model import Model, stamp, usable_cores
from service.settings import Settings
from service.sharing import SharedModel, SharedReader
from service.turnstile import Turnstile

T = TypeVar("T")
_log = logging.getLogger("mammolens")
_MOST_READERS = 8  # each takes some 100 MiB
_CALLS = 2  # of the model at a time: what of one runs on a single core leaves the others to the second


class Lane(StrEnum):
    """What requests are admitted for; each lane has its own places, and its share of the readers and of the model."""

    PREDICT = "predict"
    EXPLAIN = "explain"


_SHARES: dict[str, float] = {Lane.PREDICT: 3.0, Lane.EXPLAIN: 1.0}


@dataclass(frozen=True, slots=True)
class Place:
    """Where one request is worked on: the model and the reader as it may use them, for as long as it is wanted."""

    permit: Permit
    model: Model
    read: Read
    max_upload_bytes: int
    upload_seconds: float

    async def run(self, request: Request, work: Callable[[], T]) -> T:
        """What `work` returns, computed in a thread of the place's own.

        Raises:
            Abandoned: the caller has gone. DeadlinePassed: there is no answer in time.
        """
        return await self.permit.run(work, request.receive())  # after the body there is but one message: it has gone


class Engine:
    """A model that may still be loading, and what it takes to put requests to it without taking on too many."""

    def __init__(self, settings: Settings, metrics: Metrics, load: Callable[[Settings], Model]) -> None:
        self._settings = settings
        self._load = load
        self._loading = asyncio.Lock()
        self._metrics = metrics
        self._reader: IsolatedReader | None = None
        self._readers_started = False
        self._model: Model | None = None
        self.is_draining = False
        cores = usable_cores()
        self._readers = settings.readers or min(cores, _MOST_READERS)
        self._turns_to_read = Turnstile(self._readers, _SHARES)
        self._turns_to_compute = Turnstile(min(cores, _CALLS), _SHARES, settings.max_batch)
        explaining = max(1, settings.max_requests // 4)
        self.lanes = {
            Lane.PREDICT: Admission(settings.max_requests - explaining, settings.max_waiting),
            Lane.EXPLAIN: Admission(explaining, settings.max_waiting),
        }

    @contextmanager
    def running(self) -> Iterator[None]:
        """A stretch in which image files can be read, in processes of their own; at its end all work has ended."""
        limits = Limits(self._settings.max_pixels, self._settings.max_decode_seconds)
        self._reader = IsolatedReader(self._readers, limits)
        try:
            yield
        finally:
            for lane in self.lanes.values():
                lane.close()
            self._reader.close()
            self._reader = None

    @property
    def reader_pids(self) -> list[int]:
        """The processes that read image files, for those who watch them."""
        return self._reader.pids if self._reader else []

    def require_model(self) -> Model:
        """The model.

        Raises:
            NotReady: it is not loaded and checked yet, or no file could be read.
            Draining: no new work is taken.
        """
        if self.is_draining:
            raise Draining("The service finishes what it has begun, and ends.")
        if self._model is None:
            raise NotReady("The model is still being loaded and checked.")
        if not self._readers_started:
            raise NotReady("The processes that read image files are still starting.")
        return self._model

    async def load(self) -> Model:
        """The newest version of the model, loaded beside the one that answers, checked, and put in its place.

        What has begun with the other ends with it.

        Raises:
            BundleError: it cannot be served; the other one stays.
        """
        async with self._loading:
            model = await asyncio.to_thread(self._load, self._settings)
            self._model = model
            await asyncio.to_thread(memory.settle)
        _log.info("ready: model %s/%d", model.manifest.name, model.manifest.version)
        return model

    async def serve_newest(self) -> None:
        """Loads the model, and, if its directory is to be watched, every new version as it appears, for ever.

        Raises:
            BundleError: the first one cannot be served.
        """
        seen = await asyncio.to_thread(stamp, self._settings.model)
        await asyncio.gather(self.load(), self._start_readers())
        while self._settings.watch_seconds:
            await asyncio.sleep(self._settings.watch_seconds)
            try:
                latest = await asyncio.to_thread(stamp, self._settings.model)
                if latest != seen:
                    seen = latest
                    await self.load()
            except BundleError as error:
                _log.error("the new version of the model is not served: %s", error)
            except OSError as error:  # files may vanish while they are listed, and shares may be away for a while
                _log.error("the model's directory cannot be read: %s", error.strerror)

    async def _start_readers(self) -> None:
        if self._reader is not None:
            await asyncio.to_thread(self._reader.wait_until_ready)
            self._readers_started = True

    def drain(self) -> None:
        """Takes no new work; what was let in is finished within its deadline."""
        self.is_draining = True

    @asynccontextmanager
    async def admit(self, lane: Lane, seconds: float | None) -> AsyncIterator[Place]:
        """A place for a request of that lane; it must be answered within so many seconds, or those of the settings.

        Raises:
            NotReady, Draining, Busy: at once. DeadlinePassed: in the queue.
        """
        self.require_model()
        try:
            async with self._place(lane, seconds) as place:
                yield place
        except Busy as busy:
            self._metrics.refused.labels(lane, busy.reason).inc()
            raise
        except (Abandoned, ClientDisconnect):
            self._metrics.abandoned.labels(lane).inc()
            raise

    @asynccontextmanager
    async def _place(self, lane: Lane, seconds: float | None) -> AsyncIterator[Place]:
        longest, start = self._settings.deadline_seconds, time.perf_counter()
        async with self.lanes[lane].admit(min(seconds or longest, longest)) as permit:
            self._metrics.waits.labels(lane).observe(time.perf_counter() - start)
            model, reader = self._model, self._reader
            if model is None or reader is None:
                raise NotReady("The service is not running.")
            yield Place(
                permit,
                SharedModel(model, self._turns_to_compute, lane, permit.check, self._metrics.count_batch),
                SharedReader(reader, self._turns_to_read, lane, permit.check),
                self._settings.max_upload_bytes,
                self._settings.upload_seconds,
            )


async def get_engine(request: Request) -> Engine:
    """The engine of the app that got this request; async: FastAPI would call it in a thread otherwise."""
    engine: Engine = request.app.state.engine
    return engine


AnyEngine = Annotated[Engine, Depends(get_engine)]
RequestTimeout = Annotated[
    float | Absent,
    Header(
        alias="Request-Timeout",
        gt=0,
        le=3600,
        description="Seconds that the caller will wait, where they are less than the service's own deadline.",
        examples=[5],
    ),
]
