import time

from service.stopwatch import Stopwatch


def test_steps_are_timed_in_the_order_in_which_they_were_entered_and_added_up() -> None:
    watch = Stopwatch()
    with watch.step("decode"):
        time.sleep(0.01)
    watch.add({"fit": 2.0, "decode": 1000.0})
    with watch.step("fit"):
        pass
    assert list(watch.milliseconds) == ["decode", "fit"]
    assert 1010 <= watch.milliseconds["decode"] < 1500
    assert watch.milliseconds["fit"] >= 2
