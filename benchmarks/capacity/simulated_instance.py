"""One instance of the service in a simulation: lanes, readers, model and memory for bodies.

The rule of admission, the scheduler, their sizes and the bound on bodies are those of the service.
Time and processors are simulated.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from benchmarks.capacity.simulated_cores import Callback, Clock, SimulatedCores, SimulatedThreads
from benchmarks.capacity.simulated_lane import SimulatedLane
from benchmarks.capacity.simulated_request import Outcome
from benchmarks.capacity.simulated_scheduler import SimulatedScheduler
from service.runtime.body_memory import BodyMemory
from service.runtime.engine import Lane
from service.runtime.memory_plan import model_calls, wanted_readers
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class InstanceShape:
    """Size of an instance, as its settings and its cores make it.

    `share`: of its cores that other programs leave to it.
    """

    cores: int
    slots: Mapping[Lane, int]
    max_waiting: int
    readers: int
    model_calls: int
    max_batch: int
    max_body_bytes: int
    exam_bytes: int
    share: float = 1.0

    @classmethod
    def of(cls, settings: Settings, cores: int, share: float = 1.0) -> Self:
        """Return the size of an instance with these settings on that many cores."""
        explain = settings.explain_slots
        return cls(
            cores=cores,
            slots={Lane.PREDICT: settings.max_requests - explain, Lane.EXPLAIN: explain},
            max_waiting=settings.max_waiting,
            readers=wanted_readers(settings, cores),
            model_calls=model_calls(cores),
            max_batch=settings.max_batch,
            max_body_bytes=settings.max_body_bytes,
            exam_bytes=settings.exam_bytes,
            share=share,
        )


class SimulatedInstance:
    """An instance that answers, refuses or misses what it is offered.

    `report` receives what becomes of each request. `open_requests`: those without an answer yet.
    """

    def __init__(
        self, clock: Clock, shape: InstanceShape, report: Callable[[Outcome], None]
    ) -> None:
        self.clock = clock
        self.cores = SimulatedCores(clock, shape.cores * shape.share)
        self.readers = SimulatedScheduler(clock, self.cores, shape.readers)
        self.model = SimulatedScheduler(clock, self.cores, shape.model_calls, shape.max_batch)
        self.event_loop = SimulatedThreads(1)
        self.image_threads = SimulatedThreads(shape.cores)
        self.bodies = BodyMemory(shape.max_body_bytes, shape.exam_bytes)
        self.lanes = {
            lane: SimulatedLane(clock, slots, shape.max_waiting)
            for lane, slots in shape.slots.items()
        }
        self.open_requests = 0
        self._report = report

    def transfer(self, seconds: float, done: Callback) -> None:
        """Spend processor time in the event loop, which does one thing at a time."""

        def call(end: Callback) -> None:
            def ended() -> None:
                end()
                done()

            self.cores.start(seconds, ended)

        self.event_loop.run(call)

    def open(self) -> None:
        """Count a request that has arrived."""
        self.open_requests += 1

    def answer(self, outcome: Outcome) -> None:
        """Report what has become of a request."""
        self.open_requests -= 1
        self._report(outcome)
