"""Admission control: a number of slots, a bounded queue, and early rejection.

A request queues for a slot once its body has arrived, so a slow sender takes no slot. It is
rejected when the queue is full or when it cannot be answered before its deadline: on arrival,
before its body is read, and again when it enters the queue. A slot stays taken until its thread
ends, even if the request was answered earlier (for example with a time-out).

An exam takes one slot. For the expected wait it counts as many times as it has images.
"""

import asyncio
import contextvars
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from service.errors import Abandoned, DeadlinePassed, MammolensError
from service.runtime.admission_rule import AdmissionRule

T = TypeVar("T")

_log = logging.getLogger("mammolens")


class Slot:
    """Permission to work on a number of images until a deadline (monotonic clock).

    Any thread may check whether it still holds.
    """

    def __init__(self, deadline: float, executor: ThreadPoolExecutor, images: int = 1) -> None:
        self._deadline = deadline
        self._executor = executor
        self.images = images
        self._abandoned = False
        self._work: asyncio.Future[Any] | None = None

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline, negative after it."""
        return self._deadline - time.monotonic()

    def check(self) -> None:
        """Stop work that has become useless. Call it before each costly step.

        Raises:
            Abandoned: the client has disconnected.
            DeadlinePassed: the deadline has passed.
        """
        if self._abandoned:
            raise Abandoned("The client has disconnected.")
        if self.seconds_left < 0:
            raise DeadlinePassed("The deadline passed before work on the image began.")

    async def run(self, work: Callable[[], T], leaving: asyncio.Future[Any]) -> T:
        """Run `work` in a thread of this slot and return its result.

        `leaving` completes when the client has gone. On an early end the thread goes on until its
        next `check`.

        Raises:
            Abandoned: the client disconnected first.
            DeadlinePassed: the deadline passed first.
        """
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        self._work = loop.run_in_executor(self._executor, context.run, work)

        try:
            await asyncio.wait(
                {self._work, leaving},
                timeout=self.seconds_left,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            client_left = leaving.done()
            if not self._work.done():
                self._abandoned = client_left
                self._work.add_done_callback(_log_unexpected_error)

        if self._work.done():
            result: T = self._work.result()
            return result
        if client_left:
            raise Abandoned("The client has disconnected.")
        raise DeadlinePassed("The deadline passed while the image was processed.")

    @property
    def has_worked(self) -> bool:
        """Whether work has ended that was not stopped by `check`, even if it had an error."""
        if self._work is None or not self._work.done() or self._work.cancelled():
            return False
        return not isinstance(self._work.exception(), Abandoned | DeadlinePassed)

    def when_idle(self, callback: Callable[[], None]) -> None:
        """Call `callback` when this slot has no running thread, which may be immediately."""
        if self._work is None or self._work.done():
            callback()
        else:
            self._work.add_done_callback(lambda _: callback())


class AdmissionQueue:
    """A number of slots with one thread each, and a bounded queue of requests that wait for one."""

    def __init__(self, slots: int, max_waiting: int) -> None:
        self._free_slots = asyncio.Semaphore(slots)
        self._executor = ThreadPoolExecutor(slots, thread_name_prefix="mammolens")
        self._rule = AdmissionRule(max_waiting)
        self.waiting = 0
        self.in_flight = 0

    @asynccontextmanager
    async def admit(
        self, seconds: float, leaving: asyncio.Future[Any], images: int = 1
    ) -> AsyncIterator[Slot]:
        """Wait for a slot and hold it; the request must be answered within `seconds`.

        `leaving` completes when the client has gone. `images`: number of them in the request.

        Raises:
            Busy: the queue is full, or too long for this deadline.
            DeadlinePassed: the deadline passed in the queue.
            Abandoned: the client disconnected in the queue.
        """
        self.reject_if_overloaded(seconds, images)
        slot = Slot(time.monotonic() + seconds, self._executor, images)
        await self._wait_for_slot(slot, leaving)

        start = time.monotonic()
        try:
            yield slot
        finally:
            slot.when_idle(lambda: self._release(slot, start))

    def close(self) -> None:
        """Wait until every thread has ended."""
        self._executor.shutdown()

    def reject_if_overloaded(self, seconds: float, images: int = 1) -> None:
        """Reject a request that enters the queue now and must be answered within `seconds`.

        `images`: number of them in the request, or the least that it has.

        Raises:
            Busy: the queue is full, or too long for this deadline.
        """
        all_taken = self._free_slots.locked()
        self._rule.check(seconds, images, self.waiting, all_taken=all_taken)

    async def _wait_for_slot(self, slot: Slot, leaving: asyncio.Future[Any]) -> None:
        self.waiting += 1
        self._rule.images += slot.images
        turn = asyncio.ensure_future(self._free_slots.acquire())
        try:
            await asyncio.wait(
                {turn, leaving}, timeout=slot.seconds_left, return_when=asyncio.FIRST_COMPLETED
            )
        except asyncio.CancelledError:
            if turn.done():
                self._free_slots.release()
            raise
        finally:
            self.waiting -= 1
            self._rule.images -= slot.images
            has_slot = turn.done()
            turn.cancel()

        if has_slot:
            self.in_flight += 1
            self._rule.images += slot.images
        elif leaving.done():
            raise Abandoned("The client disconnected in the queue.")
        else:
            raise DeadlinePassed("The deadline passed in the queue.")

    def _release(self, slot: Slot, start: float) -> None:
        self.in_flight -= 1
        self._rule.images -= slot.images
        # Work that was stopped ends quickly. Counted, it would let in more requests than can be
        # answered, whose work would be stopped in turn.
        if slot.has_worked:
            self._rule.count(start, time.monotonic(), slot.images)
        self._free_slots.release()


def _log_unexpected_error(work: "asyncio.Future[Any]") -> None:
    """Log a bug in abandoned work. A MammolensError needs no line: it has no reader any more."""
    error = work.exception()
    if error is not None and not isinstance(error, MammolensError):
        _log.error("unexpected error in abandoned work", exc_info=error)
