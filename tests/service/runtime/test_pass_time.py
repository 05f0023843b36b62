"""The shortest time of a pass, and the refusal of requests that cannot meet their deadline."""

import time

import pytest

from service.errors import TooCostly
from service.runtime.pass_time import PassTime


def test_shortest_time_per_image_is_kept() -> None:
    pass_time = PassTime()

    for seconds, images in ((0.08, 4), (0.2, 1), (0.05, 1)):
        with pass_time.time(images):
            time.sleep(seconds)

    assert 0.02 <= pass_time.seconds < 0.045


def test_failed_call_is_no_measurement() -> None:
    pass_time = PassTime()
    pass_time.seconds = 1.0

    with pytest.raises(ValueError, match="broken"), pass_time.time(1):
        raise ValueError("broken")

    assert pass_time.seconds == 1.0


def test_longer_pass_is_not_noted() -> None:
    pass_time = PassTime()

    for seconds in (0.2, 0.1, 0.3):
        pass_time.note(seconds)

    assert pass_time.seconds == 0.1


@pytest.mark.parametrize(("passes", "refused"), [(40, False), (41, True)])
def test_request_beyond_its_deadline_is_too_costly(passes: int, *, refused: bool) -> None:
    pass_time = PassTime()
    pass_time.seconds = 0.25

    if not refused:
        pass_time.check(passes, 10)
        return

    with pytest.raises(TooCostly) as caught:
        pass_time.check(passes, 10)

    assert caught.value.facts == {
        "passes": 41,
        "estimated_seconds": 10.25,
        "deadline_seconds": 10,
    }


def test_nothing_is_refused_before_a_measurement() -> None:
    PassTime().check(1_000_000, 0.001)
