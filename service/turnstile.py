"""Turns at something that only so many threads can use at a time, shared between lanes; calls that are alike join.

While every turn is taken, calls wait in their lane. A turn that ends passes to the lane that has used least for its
share (start-time fair queuing: Goyal, Vin, Cheng, SIGCOMM 1996), and with the first call there go those of the same
kind, up to a limit: what has queued becomes the next batch. Nothing is ever waited for, and a call that finds a free
turn runs at once, in its own thread.
"""

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
class Call(Generic[P, R]):
    """A payload, and the work that turns a batch of them into as many results.

    Calls of one `kind` must have the same work, and may be joined while their `size`s add up to no more than the
    turnstile's limit. `check` raises a MammolensError where the call is no longer wanted; it is asked just before its
    turn.
    """

    kind: Hashable
    size: int
    payload: P
    work: Callable[[Sequence[P]], Sequence[R]]
    check: Callable[[], None]
    _called: threading.Event = field(default_factory=threading.Event)
    _batch: "list[Call[P, R]] | None" = None
    _results: Sequence[R] = ()
    _error: BaseException | None = None

    def is_wanted(self) -> bool:
        """Whether it is; if not, it ends."""
        try:
            self.check()
        except MammolensError as error:
            self.end(error=error)
            return False
        return True

    def lead(self, batch: "list[Call[P, R]]") -> None:
        """Lets its thread run that batch."""
        self._batch = batch
        self._called.set()

    def end(self, results: Sequence[R] = (), error: BaseException | None = None) -> None:
        """Lets its thread go on with the one result, or the error."""
        self._results, self._error = results, error
        self._called.set()

    def wait(self) -> "list[Call[P, R]] | None":
        """The batch that is to be run by the calling thread; None if the call has ended by now."""
        self._called.wait()
        return self._batch

    def result(self) -> R:
        """Its result, once it has ended."""
        if self._error is not None:
            raise self._error
        return self._results[0]


class Turnstile:
    """So many turns at a time; a lane gets its share of them, by time, while others wait, and all of them otherwise."""

    def __init__(self, turns: int, shares: Mapping[str, float], limit: int = 1) -> None:
        self._free = turns
        self._limit = limit
        self._shares = shares
        self._used = dict.fromkeys(shares, 0.0)
        self._now = 0.0  # what the lane that was last given a turn had used by then
        self._lines: dict[str, deque[Call[object, object]]] = {lane: deque() for lane in shares}
        self._lock = threading.Lock()

    def run(self, lane: str, call: Call[P, R]) -> R:
        """The call's result, when it was its turn; raises what its check or its work raises."""
        batch = [call] if self._enter(lane, call) else call.wait()
        if batch is not None:
            self._work_off(lane, batch)
        return call.result()

    def _enter(self, lane: str, call: Call[P, R]) -> bool:
        """Whether there is a free turn, which is then taken; otherwise the call waits in its line."""
        with self._lock:
            if not self._lines[lane]:  # a lane that was away claims nothing for that time
                self._used[lane] = max(self._used[lane], self._now)
            if self._free:
                self._free -= 1
                self._now = self._used[lane]
                return True
            self._lines[lane].append(call)  # type: ignore[arg-type]  # a line holds calls of every kind
            return False

    def _work_off(self, lane: str, batch: list[Call[P, R]]) -> None:
        start = time.perf_counter()
        try:
            wanted = [call for call in batch if call.is_wanted()]
            if wanted:
                _run_together(wanted)
        finally:
            self._pass_on(lane, time.perf_counter() - start)

    def _pass_on(self, lane: str, seconds: float) -> None:
        """Gives the turn to whoever is next."""
        with self._lock:
            self._used[lane] += seconds / self._shares[lane]
            waiting = [name for name, line in self._lines.items() if line]
            if not waiting:
                self._free += 1
                return
            following = min(waiting, key=self._used.__getitem__)
            self._now = self._used[following]
            batch = self._gather(self._lines[following])
        batch[0].lead(batch)

    def _gather(self, line: deque[Call[object, object]]) -> list[Call[object, object]]:
        """The first of the line, taken out of it, with those of its kind that fit."""
        batch = [line.popleft()]
        size = batch[0].size
        for call in list(line):
            if call.kind == batch[0].kind and size + call.size <= self._limit:
                batch.append(call)
                line.remove(call)
                size += call.size
        return batch


def _run_together(batch: Sequence[Call[P, R]]) -> None:
    """Ends every call with its result; with the error, if the work raises one."""
    try:
        results = batch[0].work([call.payload for call in batch])
    except BaseException as error:  # noqa: BLE001 - raised again in the threads whose calls these are
        for call in batch:
            call.end(error=error)
        return
    for call, result in zip(batch, results, strict=True):
        call.end([result])
