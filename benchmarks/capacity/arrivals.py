"""Arrivals of requests: at a steady rate, over a working day, or all at once."""

import random
from collections.abc import Iterator, Sequence

from benchmarks.capacity.simulated_request import Arrival, ImageWork, Work
from benchmarks.capacity.step_table import RequestCosts
from benchmarks.load.generator import poisson
from service.runtime.engine import Lane

HOUR = 3600
DAY = (0.06, 0.12, 0.15, 0.14, 0.11, 0.07, 0.11, 0.11, 0.08, 0.05)
"""Share of a day's requests in each hour of a working day of ten hours, an assumption."""


def work_of(costs: RequestCosts) -> Work:
    """Return the work of a request as it is while all cores are busy.

    The steps keep their shares of the whole.
    """
    scale = costs.busy / costs.alone
    seconds = {step: scale * one for step, one in costs.seconds.items()}
    image = ImageWork(
        read=(seconds["decode"] + seconds["fit"]) / costs.images,
        model=(seconds.get("model", 0) + seconds.get("explain", 0)) / costs.images,
        after=seconds.get("draw", 0) / costs.images,
    )
    return Work(
        Lane.PREDICT if costs.route == "/predict" else Lane.EXPLAIN,
        (image,) * costs.images,
        transfer=seconds["rest"],
        body_bytes=round(costs.megabytes * 1e6),
    )


def steady(work: Work, rate: float, seconds: float, deadline: float, seed: int) -> list[Arrival]:
    """Return independent arrivals, `rate` a second on average."""
    return [Arrival(time, work, deadline) for time in poisson(rate, seconds, seed)]


def working_day(work: Work, requests: float, deadline: float, seed: int) -> list[Arrival]:
    """Return the arrivals of a day, independent of one another, with the peak hour of `DAY`."""
    return [Arrival(time, work, deadline) for time in _day_times(requests, DAY, seed)]


def at_once(work: Work, requests: int, deadline: float) -> list[Arrival]:
    """Return arrivals that all come at time 0."""
    return [Arrival(0, work, deadline)] * requests


def _day_times(requests: float, shares: Sequence[float], seed: int) -> Iterator[float]:
    draw = random.Random(seed)  # noqa: S311 - reproducible, no secret
    for hour, share in enumerate(shares):
        time = draw.expovariate(requests * share / HOUR)
        while time < HOUR:
            yield hour * HOUR + time
            time += draw.expovariate(requests * share / HOUR)
