"""The times of a request's steps."""

import time

from service.observability.stopwatch import Lap, Stopwatch


def test_laps_of_a_step_are_added_up() -> None:
    """Steps are listed in the order of their first end."""
    timer = Stopwatch()

    with timer.step("decode"):
        time.sleep(0.01)
    timer.add([Lap("fit", 1.0, 2.0), Lap("decode", 1.0, 1000.0)])
    with timer.step("fit"):
        pass

    assert list(timer.milliseconds) == ["decode", "fit"]
    assert 1010 <= timer.milliseconds["decode"] < 1500
    assert timer.milliseconds["fit"] >= 2


def test_each_lap_has_its_start() -> None:
    timer = Stopwatch()
    before = time.time()

    with timer.step("decode"):
        time.sleep(0.02)
    with timer.step("decode"):
        pass

    first, second = timer.laps
    assert before <= first.start
    assert first.start + 0.02 <= second.start <= time.time()
