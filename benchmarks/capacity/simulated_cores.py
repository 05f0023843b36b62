"""Simulated clock, and cores that share themselves between the work that is under way."""

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable
from functools import partial

Callback = Callable[[], None]


class Clock:
    """Time of a simulation, in seconds. Events of one moment happen in the order of their entry."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Callback]] = []
        self._numbers = itertools.count()

    def at(self, time: float, callback: Callback) -> None:
        """Call `callback` at that time, never if it is infinite."""
        if math.isfinite(time):
            heapq.heappush(self._events, (time, next(self._numbers), callback))

    def run(self) -> None:
        """Let time pass until nothing is left to happen."""
        while self._events:
            self.now, _, callback = heapq.heappop(self._events)
            callback()


class SimulatedCores:
    """Cores that a scheduler shares fairly: at most one for each piece of work, and all alike.

    `count` may be a fraction: the part of the cores that other programs leave. `busy_seconds`:
    processor time spent so far.
    """

    def __init__(self, clock: Clock, count: float) -> None:
        self._clock = clock
        self._count = count
        self._numbers = itertools.count()
        self.busy_seconds = 0.0

        # Processor time that each piece of work has had since time 0, were it under way all along.
        # A piece ends when this reaches the value with which it is in the heap.
        self._each = 0.0
        self._ends: list[tuple[float, int, Callback]] = []
        self._updated = 0.0
        self._version = 0

    def start(self, seconds: float, done: Callback) -> None:
        """Begin work of that processor time, and call `done` at its end."""
        self._advance()
        heapq.heappush(self._ends, (self._each + seconds, next(self._numbers), done))
        self._expect_next_end()

    @property
    def _speed(self) -> float:
        """Processor time of each piece of work for a second."""
        return min(1.0, self._count / len(self._ends)) if self._ends else 0.0

    def _advance(self) -> None:
        """Let the work go on until now."""
        share = (self._clock.now - self._updated) * self._speed
        self._each += share
        self.busy_seconds += share * len(self._ends)
        self._updated = self._clock.now

    def _expect_next_end(self) -> None:
        # An end that was expected earlier no longer holds.
        self._version += 1
        if self._ends:
            left = max(0.0, self._ends[0][0] - self._each) / self._speed
            self._clock.at(self._clock.now + left, partial(self._end, self._version))

    def _end(self, version: int) -> None:
        if version != self._version:
            return
        self._advance()
        self._each, _, done = heapq.heappop(self._ends)
        self._expect_next_end()
        done()


class SimulatedThreads:
    """A number of threads that run calls in the order of their arrival.

    A call gets a callback, which it calls at its end.
    """

    def __init__(self, threads: int) -> None:
        self._free = threads
        self._waiting: deque[Callable[[Callback], None]] = deque()

    def run(self, call: Callable[[Callback], None]) -> None:
        """Run the call when a thread is free, which may be now."""
        self._waiting.append(call)
        self._start_waiting()

    def _start_waiting(self) -> None:
        while self._free and self._waiting:
            self._free -= 1
            self._waiting.popleft()(self._end)

    def _end(self) -> None:
        self._free += 1
        self._start_waiting()
