import time

from service.observability.stopwatch import Lap, Stopwatch


def test_steps_are_timed_in_the_order_in_which_they_were_left_and_added_up() -> None:
    watch = Stopwatch()
    with watch.step("decode"):
        time.sleep(0.01)
    watch.add([Lap("fit", 1.0, 2.0), Lap("decode", 1.0, 1000.0)])
    with watch.step("fit"):
        pass
    assert list(watch.milliseconds) == ["decode", "fit"]
    assert 1010 <= watch.milliseconds["decode"] < 1500
    assert watch.milliseconds["fit"] >= 2


def test_each_stay_in_a_step_knows_when_it_began() -> None:
    watch, before = Stopwatch(), time.time()
    with watch.step("decode"):
        time.sleep(0.02)
    with watch.step("decode"):
        pass
    first, second = watch.laps
    assert before <= first.start
    assert first.start + 0.02 <= second.start <= time.time()
