"""Fair scheduler with dynamic batching for a resource that at most N threads may use at a time.

A task that finds the resource free runs at once, in its own thread. Otherwise it waits in the queue
of its lane. When a task ends, the lane that has used the least time for its weight goes next
(start-time fair queuing: Goyal, Vin, Cheng, SIGCOMM 1996). Queued tasks of the same kind run with
it as one batch, up to a limit. The scheduler never waits for a batch to fill.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from service.errors import MammolensError

P = TypeVar("P")
R = TypeVar("R")


@dataclass(eq=False, slots=True)
class Task(Generic[P, R]):
    """A payload, and the work that maps a batch of payloads to one result each.

    Tasks of one `kind` must have the same `work`. They are joined while the sum of their `size`s is
    within the scheduler's limit and that of the first task, `max_batch`. `check` raises a
    MammolensError if the result is no longer wanted. It is called just before the task runs.
    """

    kind: Hashable
    size: int
    payload: P
    work: Callable[[Sequence[P]], Sequence[R]]
    check: Callable[[], None]
    max_batch: float = math.inf
    _released: threading.Event = field(default_factory=threading.Event)
    _batch: "list[Task[P, R]] | None" = None
    _results: Sequence[R] = ()
    _error: BaseException | None = None

    def is_wanted(self) -> bool:
        """Return whether the result is still wanted. If not, finish the task with the error."""
        try:
            self.check()
        except MammolensError as error:
            self.finish(error=error)
            return False
        return True

    def release(self, batch: "list[Task[P, R]]") -> None:
        """Let the thread of this task run `batch`."""
        self._batch = batch
        self._released.set()

    def finish(self, results: Sequence[R] = (), error: BaseException | None = None) -> None:
        """Let the thread of this task return its one result, or raise the error."""
        self._results = results
        self._error = error
        self._released.set()

    def wait(self) -> "list[Task[P, R]] | None":
        """Wait for a turn.

        Return the batch to run, or None if another thread has finished this task.
        """
        self._released.wait()

        # The batch holds this task. Without the way back, images are freed without the collector.
        batch = self._batch
        self._batch = None
        return batch

    def result(self) -> R:
        """Return the result of a finished task, or raise its error."""
        if self._error is not None:
            raise self._error
        return self._results[0]


class FairScheduler:
    """Runs at most `max_running` batches at once.

    Contended time is divided between lanes by weight.
    """

    def __init__(self, max_running: int, weights: Mapping[str, float], max_batch: int = 1) -> None:
        self._free = max_running
        self._max_batch = max_batch
        self._weights = weights
        self._queues: dict[str, deque[Task[object, object]]] = {lane: deque() for lane in weights}
        self._lock = threading.Lock()

        # Seconds used by each lane divided by its weight, and the value of the lane that ran last.
        self._virtual_time = dict.fromkeys(weights, 0.0)
        self._now = 0.0

    def run(self, lane: str, task: Task[P, R]) -> R:
        """Run the task when it is its turn and return its result.

        Raises:
            Exception: any error of the task's check or work.
        """
        batch = [task] if self.start_or_queue(lane, task) else task.wait()
        if batch is not None:
            self._run_batch(lane, batch)
        return task.result()

    def start_or_queue(self, lane: str, task: Task[P, R]) -> bool:
        """Take free capacity and return True, or queue the task and return False."""
        with self._lock:
            # A lane that was idle gets no credit for that time.
            if not self._queues[lane]:
                self._virtual_time[lane] = max(self._virtual_time[lane], self._now)

            if self._free:
                self._free -= 1
                self._now = self._virtual_time[lane]
                return True

            # A queue holds tasks of every kind.
            self._queues[lane].append(task)  # type: ignore[arg-type]
            return False

    def _run_batch(self, lane: str, batch: list[Task[P, R]]) -> None:
        start = time.perf_counter()
        try:
            wanted = [task for task in batch if task.is_wanted()]
            if wanted:
                _compute(wanted)
        finally:
            self.hand_over(lane, time.perf_counter() - start)

    def hand_over(self, lane: str, seconds: float) -> None:
        """Charge the lane for its time and release the next batch, if there is one."""
        with self._lock:
            self._virtual_time[lane] += seconds / self._weights[lane]

            waiting = [name for name, queue in self._queues.items() if queue]
            if not waiting:
                self._free += 1
                return

            following = min(waiting, key=self._virtual_time.__getitem__)
            self._now = self._virtual_time[following]
            batch = self._take_batch(self._queues[following])

        batch[0].release(batch)

    def _take_batch(self, queue: deque[Task[object, object]]) -> list[Task[object, object]]:
        """Take the first task from the queue, and tasks of its kind that fit into its batch."""
        first = queue.popleft()
        batch = [first]
        size = first.size
        limit = min(self._max_batch, first.max_batch)

        for task in list(queue):
            if task.kind == first.kind and size + task.size <= limit:
                batch.append(task)
                queue.remove(task)
                size += task.size
        return batch


def _compute(batch: Sequence[Task[P, R]]) -> None:
    """Finish every task with its result, or all of them with the error that the work raises."""
    try:
        results = batch[0].work([task.payload for task in batch])
    except BaseException as error:  # noqa: BLE001 - raised again in the threads of the tasks
        for task in batch:
            task.finish(error=error)
        return

    for task, result in zip(batch, results, strict=True):
        task.finish([result])
