import time

from service.observability.stopwatch import Lap, Stopwatch


def test_steps_are_timed_in_the_order_in_which_they_were_left_and_added_up() -> None:
    timer = Stopwatch()
    with timer.step("decode"):
        time.sleep(0.01)
    timer.add([Lap("fit", 1.0, 2.0), Lap("decode", 1.0, 1000.0)])
    with timer.step("fit"):
        pass
    assert list(timer.milliseconds) == ["decode", "fit"]
    assert 1010 <= timer.milliseconds["decode"] < 1500
    assert timer.milliseconds["fit"] >= 2


def test_each_stay_in_a_step_knows_when_it_began() -> None:
    timer, before = Stopwatch(), time.time()
    with timer.step("decode"):
        time.sleep(0.02)
    with timer.step("decode"):
        pass
    first, second = timer.laps
    assert before <= first.start
    assert first.start + 0.02 <= second.start <= time.time()
