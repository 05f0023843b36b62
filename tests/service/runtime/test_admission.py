"""Admission of requests, and the rejection of those that would be late."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext

import pytest

from service.errors import Abandoned, Busy, DeadlinePassed
from service.runtime.admission import AdmissionQueue, Slot

pytestmark = pytest.mark.anyio


def never() -> asyncio.Future[None]:
    """Return the future of a client that stays."""
    return asyncio.get_running_loop().create_future()


@asynccontextmanager
async def hold_slots(admission: AdmissionQueue, count: int) -> AsyncIterator[list[Slot]]:
    """Take `count` slots and hold them."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(admission.admit(10, never())) for _ in range(count)]


async def wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0.001)


def with_interval(seconds: float, slots: int = 1, max_waiting: int = 100) -> AdmissionQueue:
    """Return a queue whose recent requests were completed every `seconds`."""
    admission = AdmissionQueue(slots, max_waiting)
    admission._rule.interval = seconds
    return admission


async def test_requests_get_a_slot_in_order() -> None:
    admission = AdmissionQueue(1, 10)
    order: list[int] = []

    async def send_request(number: int) -> None:
        async with admission.admit(10, never()):
            order.append(number)

    async with hold_slots(admission, 1):
        requests = [asyncio.create_task(send_request(number)) for number in range(3)]
        await wait_until(lambda: admission.waiting == 3)
        assert (admission.in_flight, order) == (1, [])
    await asyncio.gather(*requests)

    assert order == [0, 1, 2]
    assert (admission.in_flight, admission.waiting) == (0, 0)


async def test_full_queue_rejects_the_next_request() -> None:
    admission = AdmissionQueue(1, 0)

    async with hold_slots(admission, 1):
        with pytest.raises(Busy) as caught:
            async with admission.admit(10, never()):
                pass

    assert caught.value.reason == "queue"


@pytest.mark.parametrize(("interval", "seconds", "admitted"), [(0.3, 1.0, True), (0.6, 1.0, False)])
async def test_requests_that_would_be_late_are_rejected(
    interval: float, seconds: float, *, admitted: bool
) -> None:
    admission = with_interval(interval, slots=2)

    async with hold_slots(admission, 1):
        rejection = nullcontext() if admitted else pytest.raises(Busy, match="before its deadline")
        with rejection:
            async with admission.admit(seconds, never()):
                pass


async def test_retry_after_covers_all_requests_ahead() -> None:
    admission = with_interval(0.7, slots=5)

    async with AsyncExitStack() as stack:
        for _ in range(5):
            await stack.enter_async_context(admission.admit(100, never()))
        with pytest.raises(Busy) as caught:
            await stack.enter_async_context(admission.admit(1, never()))

    assert caught.value.retry_after == 4  # 5 x 0.7 s = 3.5 s


async def test_request_with_none_ahead_is_always_admitted() -> None:
    """The recent rate does not matter, however slow it was."""
    async with with_interval(60).admit(0.5, never()):
        pass


async def test_deadline_in_the_queue_ends_the_wait() -> None:
    admission = AdmissionQueue(1, 10)

    async with hold_slots(admission, 1):
        with pytest.raises(DeadlinePassed):
            async with admission.admit(0.02, never()):
                pass

    assert admission.waiting == 0
    async with admission.admit(1, never()):  # the slot was not lost
        pass


async def test_client_that_leaves_the_queue_is_dropped() -> None:
    """Its turn does not come, and the slot goes to the next."""
    admission = AdmissionQueue(1, 10)

    async with hold_slots(admission, 1):
        leaving = asyncio.ensure_future(asyncio.sleep(0.01))
        with pytest.raises(Abandoned):
            async with admission.admit(10, leaving):
                pass
        assert admission.waiting == 0

    async with admission.admit(1, never()):
        assert admission.in_flight == 1


async def test_cancelled_request_leaves_no_slot_taken() -> None:
    admission = AdmissionQueue(1, 10)

    async def send_request() -> None:
        async with admission.admit(10, never()):
            await never()

    async with hold_slots(admission, 1):
        request = asyncio.create_task(send_request())
        await wait_until(lambda: admission.waiting == 1)
    request.cancel()  # in the very moment in which it gets the slot
    await asyncio.wait([request])

    async with admission.admit(1, never()):
        assert (admission.in_flight, admission.waiting) == (1, 0)


def pass_deadline(slot: Slot) -> asyncio.Future[None]:
    slot._deadline = time.monotonic() + 0.02
    return never()


def disconnect(_: Slot) -> asyncio.Future[None]:
    return asyncio.ensure_future(asyncio.sleep(0.02))


@pytest.mark.parametrize(
    ("abandon", "error"),
    [(pass_deadline, DeadlinePassed), (disconnect, Abandoned)],
    ids=["late", "left"],
)
async def test_abandoned_work_keeps_slot_until_thread_ends(
    abandon: Callable[[Slot], asyncio.Future[None]], error: type[Exception]
) -> None:
    """The thread gets the error from its next `check`."""
    admission = AdmissionQueue(1, 10)
    go = threading.Event()
    errors: list[type[Exception]] = []

    def work(slot: Slot) -> None:
        assert go.wait(10)
        try:
            slot.check()
        except error:
            errors.append(error)

    with pytest.raises(error):
        async with admission.admit(10, never()) as slot:
            await slot.run(lambda: work(slot), abandon(slot))
    assert admission.in_flight == 1

    go.set()
    await wait_until(lambda: admission.in_flight == 0)
    assert errors == [error]


async def test_failed_work_raises_and_releases_its_slot() -> None:
    admission = AdmissionQueue(1, 10)

    def work() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        async with admission.admit(10, never()) as slot:
            await slot.run(work, never())

    assert admission.in_flight == 0


@pytest.mark.parametrize("error", [DeadlinePassed, Abandoned])
async def test_stopped_work_keeps_the_interval(error: type[Exception]) -> None:
    """It ends quickly, but says nothing about the time that work takes."""
    admission = with_interval(0.5)

    def work() -> None:
        raise error

    with pytest.raises(error):
        async with admission.admit(10, never()) as slot:
            await slot.run(work, never())

    assert admission.in_flight == 0
    assert admission._rule.interval == 0.5


async def test_interval_is_measured_between_completions() -> None:
    """For a single request it is the duration of the request."""
    admission = AdmissionQueue(4, 10)

    async def send_request(seconds: float) -> None:
        async with admission.admit(10, never()) as slot:
            await slot.run(lambda: time.sleep(seconds), never())

    await send_request(0.2)
    assert admission._rule.interval == pytest.approx(0.2, abs=0.1)

    # Four at the same time: one interval of 0.2 s and three of nearly 0.
    admission._rule.interval = 0.0
    await asyncio.gather(*(send_request(0.2) for _ in range(4)))
    assert admission._rule.interval < 0.03


async def test_exam_counts_once_for_each_image() -> None:
    """Four images of 0.3 s ahead and one more take 1.5 s."""
    admission = with_interval(0.3, slots=2)

    async with admission.admit(10, never(), images=4):
        with pytest.raises(Busy) as caught:
            async with admission.admit(1.8, never()):
                pass
        async with admission.admit(1.9, never()):
            pass

    assert caught.value.retry_after == 2  # 4 x 0.3 s = 1.2 s


async def test_exam_that_would_be_late_is_rejected() -> None:
    """One image of 0.3 s ahead and four more take 1.5 s."""
    admission = with_interval(0.3, slots=2)

    async with hold_slots(admission, 1):
        with pytest.raises(Busy, match="before its deadline"):
            async with admission.admit(1.8, never(), images=4):
                pass
        async with admission.admit(1.9, never(), images=4):
            pass


async def test_images_of_ended_requests_are_forgotten() -> None:
    admission = with_interval(0.3)

    async with admission.admit(10, never(), images=8):
        leaving = asyncio.ensure_future(asyncio.sleep(0.01))
        with pytest.raises(Abandoned):
            async with admission.admit(10, leaving, images=8):
                pass

    async with admission.admit(0.1, never()):  # with none ahead it is tried
        pass


async def test_interval_is_that_of_one_image() -> None:
    """An exam of four images that takes 0.2 s counts 0.05 s each."""
    admission = AdmissionQueue(1, 10)

    async with admission.admit(10, never(), images=4) as slot:
        await slot.run(lambda: time.sleep(0.2), never())

    assert admission._rule.interval == pytest.approx(0.05, rel=0.3)
