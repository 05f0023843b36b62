"""Who is let in, and for how long: so many images in memory, a queue before them, and nobody to wait in vain.

A request takes a place before its body is read, so that those that queue cost no memory. It is refused at once where
the queue is full or where it could not be answered before its deadline. A place is held until the thread that works in
it really ends, even where the answer had to be given before.
"""

import asyncio
import contextvars
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from service.errors import Abandoned, Busy, DeadlinePassed, MammolensError

T = TypeVar("T")
_log = logging.getLogger("mammolens")
_CAUTION = 1.25  # what the expected wait is multiplied with: the pace of the last requests is not that of the next
_SMOOTHING = 0.1  # weight of the newest request in the pace


class Permit:
    """The right to work until a deadline (monotonic clock); any thread may ask whether it still holds."""

    def __init__(self, deadline: float, executor: ThreadPoolExecutor) -> None:
        self._deadline = deadline
        self._executor = executor
        self._left = False
        self._work: asyncio.Future[Any] | None = None

    @property
    def seconds(self) -> float:
        """What is left until the deadline; negative after it."""
        return self._deadline - time.monotonic()

    def check(self) -> None:
        """Raises Abandoned or DeadlinePassed where nobody waits any more; asked before each costly step."""
        if self._left:
            raise Abandoned("The caller has gone.")
        if self.seconds < 0:
            raise DeadlinePassed("The deadline has passed before the image was worked on.")

    async def run(self, work: Callable[[], T], gone: Awaitable[object]) -> T:
        """What `work` returns, computed in a thread; `gone` ends when the caller does not wait any longer.

        Raises:
            Abandoned, DeadlinePassed: at once; the thread finds out at its next step.
        """
        leaving = asyncio.ensure_future(gone)
        context = contextvars.copy_context()
        self._work = asyncio.get_running_loop().run_in_executor(self._executor, context.run, work)
        try:
            await asyncio.wait({self._work, leaving}, timeout=self.seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            left = leaving.done()
            leaving.cancel()
            if not self._work.done():
                self._left = left
                self._work.add_done_callback(_tell_fault)
        if self._work.done():
            result: T = self._work.result()
            return result
        if left:
            raise Abandoned("The caller has gone.")
        raise DeadlinePassed("The deadline has passed while the image was worked on.")

    def when_ended(self, leave: Callable[[], None]) -> None:
        """Calls `leave` when no thread works any more: at once if none does."""
        if self._work is None or self._work.done():
            leave()
        else:
            self._work.add_done_callback(lambda _: leave())


class Admission:
    """A number of places, each with its thread, and a queue of bounded length before them."""

    def __init__(self, places: int, max_waiting: int) -> None:
        self._places = asyncio.Semaphore(places)
        self._executor = ThreadPoolExecutor(places, thread_name_prefix="mammolens")
        self._max_waiting = max_waiting
        self._pace = _Pace()
        self.waiting = 0
        self.in_flight = 0

    @asynccontextmanager
    async def admit(self, seconds: float) -> AsyncIterator[Permit]:
        """A place, for so many seconds; waits for it if need be.

        Raises:
            Busy: the queue is full, or too long for that deadline.
            DeadlinePassed: it passed in the queue.
        """
        self._refuse_the_hopeless(seconds)
        permit = Permit(time.monotonic() + seconds, self._executor)
        await self._wait_for_place(permit)
        start = time.monotonic()
        try:
            yield permit
        finally:
            permit.when_ended(lambda: self._leave(start))

    def close(self) -> None:
        """Waits until every thread has ended."""
        self._executor.shutdown()

    def _refuse_the_hopeless(self, seconds: float) -> None:
        ahead = self.waiting + self.in_flight
        expected = (ahead + 1) * self._pace.seconds  # all who are ahead, and the newcomer, at the pace of late
        retry_after = math.ceil(max(1.0, ahead * self._pace.seconds))
        if self.waiting >= self._max_waiting:
            raise Busy("As many requests are waiting as may.", retry_after, "queue")
        if ahead and expected * _CAUTION > seconds:  # where nobody is ahead, trying is how to find out
            raise Busy("The request could not be answered before its deadline.", retry_after, "deadline")

    async def _wait_for_place(self, permit: Permit) -> None:
        self.waiting += 1
        try:
            async with asyncio.timeout(permit.seconds):
                await self._places.acquire()
        except TimeoutError as error:
            raise DeadlinePassed("The deadline has passed in the queue.") from error
        finally:
            self.waiting -= 1
        self.in_flight += 1

    def _leave(self, start: float) -> None:
        self.in_flight -= 1
        self._pace.count(start)
        self._places.release()


class _Pace:
    """The time from one request's end to the next one's while there is work: what one more adds to the wait."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._last = 0.0

    def count(self, start: float) -> None:
        """Counts a request that began at `start` and has ended now."""
        now = time.monotonic()
        gap = now - max(start, self._last)
        self.seconds += (gap - self.seconds) * (_SMOOTHING if self._last else 1.0)
        self._last = now


def _tell_fault(work: "asyncio.Future[Any]") -> None:
    """Logs what went wrong in a thread whose answer nobody awaits: a fault of ours, or nothing worth a line."""
    error = work.exception()
    if error is not None and not isinstance(error, MammolensError):
        _log.error("a fault in work that was given up", exc_info=error)
