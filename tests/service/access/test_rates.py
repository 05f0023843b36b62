"""How often each caller may ask."""

import pytest

from service.access import Rates
from service.errors import RateLimited


def test_a_minute_s_worth_may_come_at_once_and_then_one_as_each_is_due() -> None:
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


def test_what_one_caller_has_used_costs_no_other() -> None:
    rates = Rates(1, clock=lambda: 0.0)
    rates.take("a")
    rates.take("b")
    with pytest.raises(RateLimited):
        rates.take("a")


def test_a_refused_request_costs_nothing() -> None:
    now = 0.0
    rates = Rates(2, clock=lambda: now)
    rates.take("a")
    rates.take("a")
    for _ in range(50):
        with pytest.raises(RateLimited):
            rates.take("a")
    now = 30.0
    rates.take("a")


def test_no_more_callers_are_remembered_than_fit() -> None:
    rates = Rates(1, clock=lambda: 0.0)
    for number in range(10_050):
        rates.take(str(number))
    assert len(rates._paid_until) == 10_000
