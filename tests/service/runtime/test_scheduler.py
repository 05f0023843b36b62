"""The fair scheduler of the model and of the readers."""

import gc
import math
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from service.errors import Abandoned
from service.runtime.scheduler import FairScheduler, Task

WEIGHTS = {"predict": 3.0, "explain": 1.0}


class BlockingWork:
    """Work that blocks until `go` is set and records its batches."""

    def __init__(self, then: Callable[[Sequence[str]], list[str]]) -> None:
        self._then = then
        self.batches: list[list[str]] = []
        self.begun = threading.Event()
        self.go = threading.Event()

    def __call__(self, payloads: Sequence[str]) -> list[str]:
        self.batches.append(list(payloads))
        self.begun.set()
        assert self.go.wait(10)
        return [payload.upper() for payload in self._then(payloads)]


def still_wanted() -> None:
    pass


def abandoned() -> None:
    raise Abandoned("gone")


class QueuedCallers:
    """Callers in the queues of a scheduler whose capacity of one is taken by the task `first`."""

    def __init__(
        self,
        max_batch: int = 8,
        scheduler: FairScheduler | None = None,
        then: Callable[[Sequence[str]], list[str]] = list,
    ) -> None:
        self.scheduler = scheduler or FairScheduler(1, WEIGHTS, max_batch)
        self.work = BlockingWork(then)
        self.threads = ThreadPoolExecutor(16)

        self.first = self._submit("predict", Task("a", 1, "first", self.work, still_wanted))
        assert self.work.begun.wait(10)

    def call(
        self,
        payload: str,
        lane: str = "predict",
        kind: str = "a",
        check: Callable[[], None] = still_wanted,
        max_batch: float = math.inf,
    ) -> "Future[str]":
        """Submit a task and wait until it is queued."""
        before = self._queued()
        task = Task(kind, 1, payload, self.work, check, max_batch)
        future = self._submit(lane, task)

        deadline = time.monotonic() + 10
        while self._queued() == before:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        return future

    def _submit(self, lane: str, task: Task[str, str]) -> "Future[str]":
        return self.threads.submit(self.scheduler.run, lane, task)

    def _queued(self) -> int:
        return sum(map(len, self.scheduler._queues.values()))


def test_task_on_idle_scheduler_runs_in_own_thread() -> None:
    thread = FairScheduler(1, WEIGHTS, 8).run(
        "predict",
        Task(
            "a",
            1,
            "x",
            lambda payloads: [threading.current_thread() for _ in payloads],
            still_wanted,
        ),
    )

    assert thread is threading.current_thread()


def test_queued_tasks_form_the_next_batch() -> None:
    """Each task gets the result for its payload."""
    callers = QueuedCallers()
    others = [callers.call(name) for name in "bcd"]

    callers.work.go.set()

    assert [other.result(10) for other in others] == ["B", "C", "D"]
    assert callers.first.result(10) == "FIRST"
    assert callers.work.batches == [["first"], ["b", "c", "d"]]


def test_batch_is_bounded_and_of_one_kind() -> None:
    callers = QueuedCallers(max_batch=2)
    others = [
        callers.call(name, kind=kind)
        for name, kind in (("b", "a"), ("c", "z"), ("d", "a"), ("e", "a"))
    ]

    callers.work.go.set()

    assert [other.result(10) for other in others] == ["B", "C", "D", "E"]
    assert callers.work.batches == [["first"], ["b", "d"], ["c"], ["e"]]


def test_batch_is_bounded_by_its_first_task() -> None:
    callers = QueuedCallers(max_batch=8)
    others = [callers.call(name, max_batch=2) for name in "bcd"]

    callers.work.go.set()

    assert [other.result(10) for other in others] == ["B", "C", "D"]
    assert callers.work.batches == [["first"], ["b", "c"], ["d"]]


def test_abandoned_tasks_are_skipped() -> None:
    """They do not hold up the other tasks, neither in a batch nor as the only task of a batch."""
    callers = QueuedCallers()
    in_batch = callers.call("gone", check=abandoned)
    alone = callers.call("gone too", kind="z", check=abandoned)
    other = callers.call("b")

    callers.work.go.set()

    assert other.result(10) == "B"
    for future in (in_batch, alone):
        with pytest.raises(Abandoned):
            future.result(10)
    assert callers.work.batches == [["first"], ["b"]]


def test_failed_batch_does_not_block_the_scheduler() -> None:
    scheduler = FairScheduler(1, WEIGHTS, 8)

    def fail(_: Sequence[str]) -> list[str]:
        raise ValueError("broken")

    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            scheduler.run("predict", Task("a", 1, "x", fail, still_wanted))

    assert scheduler.run("predict", Task("a", 1, "x", list, still_wanted)) == "x"


@pytest.mark.parametrize(("max_running", "calls"), [(1, 60), (3, 60)])
def test_number_of_running_batches_is_bounded(max_running: int, calls: int) -> None:
    scheduler = FairScheduler(max_running, WEIGHTS)
    lock = threading.Lock()
    running = 0
    peak = 0

    def work(payloads: Sequence[int]) -> list[int]:
        nonlocal running, peak
        with lock:
            running += 1
            peak = max(peak, running)
        time.sleep(0.001)
        with lock:
            running -= 1
        return list(payloads)

    with ThreadPoolExecutor(12) as threads:
        lanes = ["predict", "explain"]
        results = threads.map(
            lambda number: scheduler.run(
                lanes[number % 2], Task("a", 1, number, work, still_wanted)
            ),
            range(calls),
        )
        assert list(results) == list(range(calls))

    assert peak == max_running


def test_idle_lane_earns_no_credit(monkeypatch: pytest.MonkeyPatch) -> None:
    callers = QueuedCallers(max_batch=1)
    now = 0.0
    monkeypatch.setattr("service.runtime.scheduler.time.perf_counter", lambda: now)

    def take_a_second(payloads: Sequence[str]) -> list[str]:
        nonlocal now
        now += 1
        return list(payloads)

    # The lane `predict` is busy for 30 seconds while `explain` is idle.
    callers.work.go.set()
    callers.first.result(10)
    for _ in range(30):
        callers.scheduler.run("predict", Task("a", 1, "", take_a_second, still_wanted))

    # Then both lanes have six tasks each.
    busy = QueuedCallers(max_batch=1, scheduler=callers.scheduler, then=take_a_second)
    others = [
        busy.call(name, lane)
        for name, lane in (("e", "explain"), ("p", "predict"))
        for _ in range(6)
    ]
    busy.work.go.set()
    for other in others:
        other.result(10)

    assert "".join(name for (name,) in busy.work.batches[1:]).startswith("ep")


def test_contended_time_is_divided_by_weight() -> None:
    scheduler = FairScheduler(1, WEIGHTS)
    used = dict.fromkeys(WEIGHTS, 0.0)
    end = time.monotonic() + 0.6

    def keep_calling(lane: str) -> None:
        def work(payloads: Sequence[None]) -> Sequence[None]:
            start = time.perf_counter()
            time.sleep(0.002 if lane == "predict" else 0.006)
            used[lane] += time.perf_counter() - start
            return payloads

        while time.monotonic() < end:
            scheduler.run(lane, Task(lane, 1, None, work, still_wanted))

    with ThreadPoolExecutor(8) as threads:
        for lane in ["predict", "explain"] * 4:
            threads.submit(keep_calling, lane)

    assert 2 < used["predict"] / used["explain"] < 4.5


class Image:
    """Payload that can be watched."""


def test_batch_is_freed_without_the_collector() -> None:
    scheduler = FairScheduler(1, WEIGHTS, 8)
    begun = threading.Event()
    go = threading.Event()

    def work(payloads: Sequence[Image]) -> list[int]:
        begun.set()
        assert go.wait(10)
        return [1] * len(payloads)

    def call(payload: Image) -> int:
        return scheduler.run("predict", Task("a", 1, payload, work, still_wanted))

    images = [Image() for _ in range(3)]
    watched = [weakref.ref(image) for image in images]
    gc.disable()
    try:
        # The first runs, and the others wait and become a batch.
        with ThreadPoolExecutor(3) as threads:
            calls = [threads.submit(call, image) for image in images]
            assert begun.wait(10)
            go.set()
            assert [one.result() for one in calls] == [1, 1, 1]
        del images, calls
        alive = [one() for one in watched if one() is not None]
    finally:
        gc.enable()

    assert not alive
