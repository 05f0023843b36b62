"""The engine: the served model, reader processes and admission."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from service.errors import Abandoned, Busy, Draining, NotReady, TooCostly
from service.host.cores import usable_cores
from service.imaging import Limits
from service.model import Model
from service.runtime.admission import AdmissionQueue, Slot
from service.runtime.batching import BatchedModel, ScheduledReader
from service.runtime.body_memory import BodyMemory, HeldBody
from service.runtime.image_threads import ImageThreads
from service.runtime.memory_plan import model_calls, wanted_readers
from service.runtime.observer import EngineObserver
from service.runtime.readers import ReaderPool
from service.runtime.scheduler import FairScheduler
from service.runtime.served_model import ServedModel
from service.settings import Settings

T = TypeVar("T")


class Lane(StrEnum):
    """Kinds of requests.

    Each lane has its own slots and its own share of the readers and the model.
    """

    PREDICT = "predict"
    EXPLAIN = "explain"


WEIGHTS: dict[str, float] = {Lane.PREDICT: 3.0, Lane.EXPLAIN: 1.0}


@dataclass(slots=True)
class AcceptedRequest:
    """A request that was not rejected on arrival. Its body may be read into `body`.

    `passes`: of the model, that each of its images takes. Lane and passes may change before it asks
    for a slot, if its body tells more. `deadline`: in seconds from its arrival.
    `end`: the same on the monotonic clock. `slot`: None until it gets one.
    """

    lane: Lane
    passes: int
    deadline: float
    end: float
    body: HeldBody
    slot: Slot | None = None

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline, negative after it."""
        return self.end - time.monotonic()

    def close(self) -> None:
        """Let go of the body, once no thread works on it."""
        if self.slot is None:
            self.body.release()
        else:
            self.slot.when_idle(self.body.release)


@dataclass(frozen=True, slots=True)
class AdmittedRequest:
    """A request with a slot, and all that it may use while the slot holds.

    `threads`: for the images of an exam.
    """

    slot: Slot
    model: Model
    read: ScheduledReader
    threads: ImageThreads

    def run_all(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """Run the calls in parallel and return their results in order.

        Each begins only if the slot still holds: see `Slot.check`.
        """
        return self.threads.run(calls, self.slot.check)


class Engine:
    """Serves one model, which may still be loading, to a bounded number of requests."""

    def __init__(
        self, settings: Settings, observer: EngineObserver, load: Callable[[Settings], Model]
    ) -> None:
        self._settings = settings
        self._observer = observer
        self.served = ServedModel(settings, load)
        self._readers: ReaderPool | None = None
        self._readers_started = False
        self.is_draining = False

        self.bodies = BodyMemory(settings.max_body_bytes, settings.exam_bytes)
        self._reader_count = wanted_readers(settings, usable_cores())
        self._read_scheduler = FairScheduler(self._reader_count, WEIGHTS)
        self._model_scheduler = FairScheduler(
            model_calls(usable_cores()), WEIGHTS, settings.max_batch
        )

        self._image_threads = ImageThreads(usable_cores())
        predict_slots = settings.max_requests - settings.explain_slots
        self.lanes = {
            Lane.PREDICT: AdmissionQueue(predict_slots, settings.max_waiting),
            Lane.EXPLAIN: AdmissionQueue(settings.explain_slots, settings.max_waiting),
        }

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the reader processes. On exit all work has ended."""
        limits = Limits(self._settings.max_pixels, self._settings.max_decode_seconds)
        self._readers = ReaderPool(self._reader_count, limits, self._observer.reader_lost)
        try:
            yield
        finally:
            for lane in self.lanes.values():
                lane.close()
            self._image_threads.close()
            self.served.close()
            self._readers.close()
            self._readers = None

    @property
    def reader_pids(self) -> list[int]:
        """Process IDs of the reader processes, for monitoring."""
        return self._readers.pids if self._readers else []

    def require_model(self) -> Model:
        """Return the served model.

        Raises:
            NotReady: the model is not loaded and checked yet, or the readers have not started.
            Draining: the service accepts no new work.
        """
        if self.is_draining:
            raise Draining("The service is shutting down and accepts no new requests.")
        if self.served.model is None:
            raise NotReady("The model is still being loaded and checked.")
        if not self._readers_started:
            raise NotReady("The reader processes are still starting.")
        return self.served.model

    async def serve_newest(self) -> None:
        """Load the model. With `watch_seconds`, go on loading each new version, forever.

        Raises:
            BundleError: the first version cannot be served.
        """
        loaded = await self.served.stamp()
        model, _ = await asyncio.gather(self.served.exchange(), self._start_readers())
        # Starting readers would slow the passes down.
        await self.served.measure(model)
        await self.served.watch(loaded)

    async def _start_readers(self) -> None:
        if self._readers is not None:
            await asyncio.to_thread(self._readers.wait_until_ready)
            self._readers_started = True

    def drain(self) -> None:
        """Accept no new work. Admitted requests are finished within their deadlines."""
        self.is_draining = True

    @asynccontextmanager
    async def accept(
        self, lane: Lane, seconds: float | None, passes: int, caller: str
    ) -> AsyncIterator[AcceptedRequest]:
        """Decide on arrival whether a request can be answered, and hold room for its body.

        `seconds`: the request's own deadline. The service's deadline is the upper limit and the
        default. `passes`: of the model, that each image takes. `caller`: whose bodies are bounded
        together.

        Raises:
            NotReady, Draining, TooCostly, Busy: at once.
        """
        self.require_model()
        max_seconds = self._settings.deadline_seconds
        deadline = min(seconds or max_seconds, max_seconds)
        end = time.monotonic() + deadline
        try:
            self.served.pass_time.check(passes, deadline)
            self.lanes[lane].reject_if_overloaded(deadline)
            accepted = AcceptedRequest(lane, passes, deadline, end, self.bodies.hold(caller))
            try:
                yield accepted
            finally:
                lane = accepted.lane
                accepted.close()
        except TooCostly:
            self._observer.request_rejected(lane, "cost")
            raise
        except Busy as busy:
            self._observer.request_rejected(lane, busy.reason)
            raise
        except Abandoned:
            self._observer.request_abandoned(lane)
            raise

    @asynccontextmanager
    async def take_slot(
        self, accepted: AcceptedRequest, leaving: asyncio.Future[Any], images: int = 1
    ) -> AsyncIterator[AdmittedRequest]:
        """Wait for a slot of the request's lane and hold it. Its body has been read.

        `leaving` completes when the client has gone. `images`: number of them in the body.

        Raises:
            TooCostly, Busy: at once.
            DeadlinePassed, Abandoned: in the queue.
        """
        lane = accepted.lane
        start = time.perf_counter()
        self.served.pass_time.check(images * accepted.passes, accepted.deadline)

        async with self.lanes[lane].admit(accepted.seconds_left, leaving, images) as slot:
            self._observer.slot_taken(lane, time.perf_counter() - start)
            accepted.slot = slot

            model = self.served.model
            readers = self._readers
            if model is None or readers is None:
                raise NotReady("The service is not running.")

            batched = BatchedModel(
                model,
                self._model_scheduler,
                lane,
                slot.check,
                self._observer.batch_started,
                self.served.pass_time,
                self.served.batch_limit,
            )
            yield AdmittedRequest(
                slot,
                batched,
                ScheduledReader(readers.run, self._read_scheduler, lane, slot.check),
                self._image_threads,
            )
