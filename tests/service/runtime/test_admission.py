"""Who is let in, and what becomes of those who are not."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from typing import Any

import pytest

from service.errors import Abandoned, Busy, DeadlinePassed
from service.runtime.admission import AdmissionQueue, Slot


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))


async def never() -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def held(admission: AdmissionQueue, count: int) -> AsyncIterator[list[Slot]]:
    """So many places, taken."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(admission.admit(10)) for _ in range(count)]


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what is awaited has no event of its own
        await asyncio.sleep(0.001)


def paced(seconds: float, places: int = 1, max_waiting: int = 100) -> AdmissionQueue:
    """An admission whose requests were answered at that pace."""
    admission = AdmissionQueue(places, max_waiting)
    admission._interval.seconds = seconds
    return admission


def test_a_request_waits_for_a_place_and_gets_it_in_its_turn() -> None:
    async def test() -> None:
        admission, order = AdmissionQueue(1, 10), []

        async def ask(number: int) -> None:
            async with admission.admit(10):
                order.append(number)

        async with held(admission, 1):
            asking = [asyncio.create_task(ask(number)) for number in range(3)]
            await until(lambda: admission.waiting == 3)
            assert (admission.in_flight, order) == (1, [])
        await asyncio.gather(*asking)
        assert order == [0, 1, 2]
        assert (admission.in_flight, admission.waiting) == (0, 0)

    run(test)


def test_where_as_many_wait_as_may_the_next_is_refused_at_once() -> None:
    async def test() -> None:
        admission = AdmissionQueue(1, 0)
        with pytest.raises(Busy) as caught:
            async with held(admission, 1), admission.admit(10):
                pass
        assert caught.value.reason == "queue"

    run(test)


@pytest.mark.parametrize(("pace", "seconds", "admitted"), [(0.3, 1.0, True), (0.6, 1.0, False)])
def test_who_could_not_be_answered_before_the_deadline_is_refused_at_once(
    pace: float, seconds: float, *, admitted: bool
) -> None:
    async def test() -> None:
        admission = paced(pace, places=2)
        async with held(admission, 1):
            refusal = (
                nullcontext() if admitted else pytest.raises(Busy, match="before its deadline")
            )
            with refusal:
                async with admission.admit(seconds):
                    pass

    run(test)


def test_retry_after_is_the_time_in_which_those_ahead_will_have_been_answered() -> None:
    async def test() -> None:
        admission = paced(0.7, places=5)
        async with AsyncExitStack() as stack:
            for _ in range(5):
                await stack.enter_async_context(admission.admit(100))
            with pytest.raises(Busy) as caught:
                await stack.enter_async_context(admission.admit(1))
        assert caught.value.retry_after == 4  # 5 x 0.7 s = 3.5 s

    run(test)


def test_where_nobody_is_ahead_a_request_is_let_in_however_slow_the_last_one_was() -> None:
    async def test() -> None:
        async with paced(60).admit(0.5):
            pass

    run(test)


def test_a_deadline_that_passes_in_the_queue_ends_the_wait() -> None:
    async def test() -> None:
        admission = AdmissionQueue(1, 10)
        async with held(admission, 1):
            with pytest.raises(DeadlinePassed):
                async with admission.admit(0.02):
                    pass
        assert admission.waiting == 0
        async with admission.admit(1):  # the place was not lost
            pass

    run(test)


def give_up_by_deadline(permit: Slot) -> Awaitable[object]:
    permit._deadline = time.monotonic() + 0.02
    return never()


def give_up_by_leaving(_: Slot) -> Awaitable[object]:
    return asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("give_up", "error"),
    [(give_up_by_deadline, DeadlinePassed), (give_up_by_leaving, Abandoned)],
    ids=["late", "left"],
)
def test_work_that_nobody_awaits_any_more_holds_its_place_until_its_thread_ends_and_is_told_at_its_next_step(
    give_up: Callable[[Slot], Awaitable[object]], error: type[Exception]
) -> None:
    async def test() -> None:
        admission, go, ended = AdmissionQueue(1, 10), threading.Event(), []

        def work(permit: Slot) -> None:
            assert go.wait(10)
            try:
                permit.check()
            except error:
                ended.append(error)

        with pytest.raises(error):
            async with admission.admit(10) as permit:
                await permit.run(lambda: work(permit), give_up(permit))
        assert admission.in_flight == 1
        go.set()
        await until(lambda: admission.in_flight == 0)
        assert ended == [error]

    run(test)


def test_a_fault_in_the_work_is_raised_and_gives_the_place_back() -> None:
    async def test() -> None:
        admission = AdmissionQueue(1, 10)

        def work() -> None:
            raise ValueError("broken")

        with pytest.raises(ValueError, match="broken"):
            async with admission.admit(10) as permit:
                await permit.run(work, never())
        assert admission.in_flight == 0

    run(test)


def test_the_pace_is_the_time_between_ends_while_there_is_work_and_one_request_s_own_time_otherwise() -> (
    None
):
    async def test() -> None:
        admission = AdmissionQueue(4, 10)

        async def ask(seconds: float) -> None:
            async with admission.admit(10) as permit:
                await permit.run(lambda: time.sleep(seconds), never())

        await ask(0.2)
        assert admission._interval.seconds == pytest.approx(0.2, abs=0.1)
        admission._interval.seconds = 0.0
        await asyncio.gather(
            *(ask(0.2) for _ in range(4))
        )  # together: one gap of 0.2 s, three of none
        assert admission._interval.seconds < 0.03

    run(test)
