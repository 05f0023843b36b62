"""The slots and the queue of one lane in simulated time, with the service's rule of admission."""

from collections import deque
from dataclasses import dataclass
from functools import partial

from benchmarks.capacity.simulated_cores import Callback, Clock
from service.runtime.admission_rule import AdmissionRule


@dataclass(slots=True, eq=False)
class QueuedRequest:
    """A request that waits for a slot until the time `end`.

    `on_slot`: called when it gets one. `on_end`: called if it gets none in time.
    """

    images: int
    end: float
    on_slot: Callback
    on_end: Callback
    has_left: bool = False


class SimulatedLane:
    """A number of slots, and a bounded queue of requests that wait for one."""

    def __init__(self, clock: Clock, slots: int, max_waiting: int) -> None:
        self._clock = clock
        self._free = slots
        self._rule = AdmissionRule(max_waiting)
        self._queue: deque[QueuedRequest] = deque()
        self._waiting = 0

    def check(self, seconds: float, images: int) -> None:
        """Reject a request that must be answered within `seconds`.

        Raises:
            Busy: the queue is full, or too long for this deadline.
        """
        self._rule.check(seconds, images, self._waiting, all_taken=not self._free)

    def enter(self, request: QueuedRequest) -> None:
        """Let the request wait for a slot, or take a free one."""
        self._rule.images += request.images
        self._waiting += 1
        self._queue.append(request)
        self._fill_slots()
        if not request.has_left:
            self._clock.at(request.end, partial(self._give_up, request))

    def release(self, images: int, start: float, *, has_worked: bool) -> None:
        """Free a slot that was taken at the time `start`."""
        self._rule.images -= images
        if has_worked:
            self._rule.count(start, self._clock.now, images)
        self._free += 1
        self._fill_slots()

    def _fill_slots(self) -> None:
        while self._free and self._queue:
            request = self._queue.popleft()
            if not request.has_left:
                self._free -= 1
                self._waiting -= 1
                request.has_left = True
                request.on_slot()

    def _give_up(self, request: QueuedRequest) -> None:
        if not request.has_left:
            self._rule.images -= request.images
            self._waiting -= 1
            request.has_left = True
            request.on_end()
