"""The rate limit of each caller."""

import pytest

from service.access import Rates
from service.errors import RateLimited


def test_burst_of_one_minute_then_steady_rate() -> None:
    now = 100.0
    rates = Rates(6, clock=lambda: now)

    for _ in range(6):
        rates.take("a")
    with pytest.raises(RateLimited) as caught:
        rates.take("a")
    assert caught.value.retry_after == 10

    now += 10
    rates.take("a")
    with pytest.raises(RateLimited):
        rates.take("a")


def test_callers_are_limited_separately() -> None:
    rates = Rates(1, clock=lambda: 0.0)

    rates.take("a")
    rates.take("b")

    with pytest.raises(RateLimited):
        rates.take("a")


def test_refused_requests_are_not_counted() -> None:
    now = 0.0
    rates = Rates(2, clock=lambda: now)

    rates.take("a")
    rates.take("a")
    for _ in range(50):
        with pytest.raises(RateLimited):
            rates.take("a")

    now = 30.0
    rates.take("a")


def test_number_of_remembered_callers_is_bounded() -> None:
    rates = Rates(1, clock=lambda: 0.0)

    for number in range(10_050):
        rates.take(str(number))

    assert len(rates._paid_until) == 10_000
