"""The service's fair scheduler in simulated time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.capacity.simulated_cores import Callback, Clock, SimulatedCores
from service.runtime.engine import WEIGHTS
from service.runtime.scheduler import FairScheduler, Task


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedWork:
    """Work for a resource that lanes share.

    Attributes:
        lane: whose turn it takes.
        seconds: processor time.
        is_wanted: whether its result is wanted, asked when its turn has come.
        done: called at its end.
        dropped: called instead if its result is not wanted.
    """

    lane: str
    seconds: float
    is_wanted: Callable[[], bool]
    done: Callback
    dropped: Callback


class SimulatedTask(Task[SimulatedWork, None]):
    """A task whose batch is started by a callback, not by a thread."""

    def __init__(
        self, simulated: SimulatedWork, start: "Callable[[Sequence[SimulatedTask]], None]"
    ) -> None:
        super().__init__(simulated.lane, 1, simulated, _refuse_threads, _do_nothing)
        self._start = start

    def release(self, batch: list[Task[SimulatedWork, None]]) -> None:
        """Start the batch."""
        self._start([task for task in batch if isinstance(task, SimulatedTask)])


class SimulatedScheduler:
    """Readers or calls of the model that lanes share. A batch takes the time of all its tasks."""

    def __init__(
        self, clock: Clock, cores: SimulatedCores, max_running: int, max_batch: int = 1
    ) -> None:
        self._clock = clock
        self._cores = cores
        self._scheduler = FairScheduler(max_running, WEIGHTS, max_batch)

    def run(self, work: SimulatedWork) -> None:
        """Run the work when it is its turn."""
        task = SimulatedTask(work, self._start)
        if self._scheduler.start_or_queue(work.lane, task):
            self._start([task])

    def _start(self, batch: Sequence[SimulatedTask]) -> None:
        works = [task.payload for task in batch]
        wanted = [work for work in works if work.is_wanted()]
        end = partial(self._end, works[0].lane, self._clock.now, wanted)

        if wanted:
            self._cores.start(sum(work.seconds for work in wanted), end)
        else:
            end()
        for work in works:
            if work not in wanted:
                work.dropped()

    def _end(self, lane: str, start: float, done: Sequence[SimulatedWork]) -> None:
        self._scheduler.hand_over(lane, self._clock.now - start)
        for work in done:
            work.done()


def _refuse_threads(works: Sequence[SimulatedWork]) -> Sequence[None]:
    raise NotImplementedError(f"{len(works)} simulated tasks take no thread")


def _do_nothing() -> None:
    pass
