"""Turns at the model and at the readers."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from service.errors import Abandoned
from service.runtime.scheduler import FairScheduler, Task

SHARES = {"predict": 3.0, "explain": 1.0}


class Held:
    """Work that is held up until it is let go, and notes the batches it is given."""

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


def wanted() -> None:
    pass


def unwanted() -> None:
    raise Abandoned("gone")


class Crowd:
    """Callers at a turnstile whose one turn is taken."""

    def __init__(
        self,
        limit: int = 8,
        turnstile: FairScheduler | None = None,
        then: Callable[[Sequence[str]], list[str]] = list,
    ) -> None:
        self.turnstile = turnstile or FairScheduler(1, SHARES, limit)
        self.work = Held(then)
        self.threads = ThreadPoolExecutor(16)
        self.first = self.call("first")
        assert self.work.begun.wait(10)

    def call(
        self,
        payload: str,
        lane: str = "predict",
        kind: str = "a",
        check: Callable[[], None] = wanted,
    ) -> "Future[str]":
        before = sum(map(len, self.turnstile._queues.values()))
        future = self.threads.submit(
            self.turnstile.run, lane, Task(kind, 1, payload, self.work, check)
        )
        if hasattr(self, "first"):
            deadline = time.monotonic() + 10
            while sum(map(len, self.turnstile._queues.values())) == before:
                assert time.monotonic() < deadline
                time.sleep(0.001)
        return future


def test_a_call_that_finds_a_free_turn_runs_at_once_and_alone() -> None:
    thread = FairScheduler(1, SHARES, 8).run(
        "predict",
        Task("a", 1, "x", lambda payloads: [threading.current_thread() for _ in payloads], wanted),
    )
    assert thread is threading.current_thread()


def test_what_has_queued_while_the_turn_was_taken_is_the_next_batch_and_each_gets_its_own_result() -> (
    None
):
    crowd = Crowd()
    others = [crowd.call(name) for name in "bcd"]
    crowd.work.go.set()
    assert [other.result(10) for other in others] == ["B", "C", "D"]
    assert crowd.first.result(10) == "FIRST"
    assert crowd.work.batches == [["first"], ["b", "c", "d"]]


def test_a_batch_is_no_larger_than_the_limit_and_of_one_kind() -> None:
    crowd = Crowd(limit=2)
    others = [
        crowd.call(name, kind=kind)
        for name, kind in (("b", "a"), ("c", "z"), ("d", "a"), ("e", "a"))
    ]
    crowd.work.go.set()
    assert [other.result(10) for other in others] == ["B", "C", "D", "E"]
    assert crowd.work.batches == [["first"], ["b", "d"], ["c"], ["e"]]


def test_what_is_no_longer_wanted_is_not_computed_and_does_not_hold_up_the_others() -> None:
    crowd = Crowd()
    gone, alone = (
        crowd.call("gone", check=unwanted),
        crowd.call("gone too", kind="z", check=unwanted),
    )
    other = crowd.call("b")
    crowd.work.go.set()
    assert other.result(10) == "B"
    for future in (gone, alone):
        with pytest.raises(Abandoned):
            future.result(10)
    assert crowd.work.batches == [["first"], ["b"]]


def test_a_failure_is_raised_by_every_call_of_its_batch_and_the_turn_is_passed_on() -> None:
    turnstile = FairScheduler(1, SHARES, 8)

    def fail(_: Sequence[str]) -> list[str]:
        raise ValueError("broken")

    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            turnstile.run("predict", Task("a", 1, "x", fail, wanted))
    assert turnstile.run("predict", Task("a", 1, "x", list, wanted)) == "x"


@pytest.mark.parametrize(("turns", "calls"), [(1, 60), (3, 60)])
def test_no_more_work_at_a_time_than_there_are_turns(turns: int, calls: int) -> None:
    turnstile, lock, running, most = FairScheduler(turns, SHARES), threading.Lock(), 0, 0

    def work(payloads: Sequence[int]) -> list[int]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.001)
        with lock:
            running -= 1
        return list(payloads)

    with ThreadPoolExecutor(12) as threads:
        lanes = ["predict", "explain"]
        found = threads.map(
            lambda number: turnstile.run(lanes[number % 2], Task("a", 1, number, work, wanted)),
            range(calls),
        )
        assert list(found) == list(range(calls))
    assert most == turns


def test_a_lane_that_was_away_claims_nothing_for_that_time(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd, now = Crowd(limit=1), 0.0
    monkeypatch.setattr("service.runtime.scheduler.time.perf_counter", lambda: now)

    def take_a_second(payloads: Sequence[str]) -> list[str]:
        nonlocal now
        now += 1
        return list(payloads)

    crowd.work.go.set()
    crowd.first.result(10)
    for _ in range(30):  # alone: nobody ever waits
        crowd.turnstile.run("predict", Task("a", 1, "", take_a_second, wanted))
    busy = Crowd(limit=1, turnstile=crowd.turnstile, then=take_a_second)
    others = [
        busy.call(name, lane)
        for name, lane in (("e", "explain"), ("p", "predict"))
        for _ in range(6)
    ]
    busy.work.go.set()
    for other in others:
        other.result(10)
    assert "".join(name for (name,) in busy.work.batches[1:]).startswith("ep")


def test_while_both_lanes_wait_each_gets_its_share_of_the_time() -> None:
    turnstile = FairScheduler(1, SHARES)
    used = dict.fromkeys(SHARES, 0.0)
    end = time.monotonic() + 0.6

    def keep_asking(lane: str) -> None:
        def work(payloads: Sequence[None]) -> Sequence[None]:
            start = time.perf_counter()
            time.sleep(0.002 if lane == "predict" else 0.006)
            used[lane] += time.perf_counter() - start
            return payloads

        while time.monotonic() < end:
            turnstile.run(lane, Task(lane, 1, None, work, wanted))

    with ThreadPoolExecutor(8) as threads:
        for lane in ["predict", "explain"] * 4:
            threads.submit(keep_asking, lane)
    assert 2 < used["predict"] / used["explain"] < 4.5
