"""Measurements of each server.

The figures are capacity, goodput under overload, the latency of a health probe beside the load, and
the number of images that are computed for clients that have disconnected.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
import numpy as np

from benchmarks.load.generator import LEFT, Answer, Stream, poisson, request, send, uniform
from benchmarks.load.servers import DEADLINE_SECONDS, Running

CONCURRENCIES = (2, 4, 8, 16, 32)
LOADS = (0.5, 1.0, 2.0, 4.0)
LEAVERS = 200
_PATIENCE_SECONDS = 0.1
_LEAVERS_SPEEDUP = 4
_GIVE_UP_SECONDS = 2.0
_PROBES_PER_SECOND = 20
_WARM_UP_SECONDS = 2.0
_QUIET_SECONDS = 1.5
_MAX_SETTLE_SECONDS = 40.0
_REFUSALS = {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}


@dataclass(frozen=True, slots=True)
class Capacity:
    """Images a second of the best closed loop, its number of clients and its latencies in ms."""

    per_second: float
    clients: int
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Goodput:
    """Outcome of an open load of about `times` the capacity.

    Attributes:
        times: load as a multiple of the capacity.
        offered: requests a second.
        good: predictions a second within the deadline, counted while requests were offered.
        refused: answers 429 or 503.
        late: predictions after the deadline.
        other: all other outcomes, including clients that gave up.
        probe_p99: latency of the health probe in milliseconds.
        unanswered_probes: probes without a 200.
        cpu_share: processor time of the load generator, as a share of one core.
    """

    times: float
    offered: float
    good: float
    refused: int
    late: int
    other: int
    probe_p99: float
    unanswered_probes: int
    cpu_share: float


def capacity(running: Running, data: bytes, seconds: float) -> Capacity:
    """Run closed loops with a rising number of clients and return the one with the highest rate."""
    body = running.server.request(data)
    send(running.port, {"warm": Stream(body, clients=8, seconds=_WARM_UP_SECONDS)})

    loops = (_closed_loop(running.port, body, clients, seconds) for clients in CONCURRENCIES)
    return max(loops, key=lambda loop: loop.per_second)


def _closed_loop(port: int, body: bytes, clients: int, seconds: float) -> Capacity:
    stream = Stream(body, clients=clients, seconds=seconds)
    answers = send(port, {"closed": stream}).answers["closed"]

    good = [answer for answer in answers if answer.status == httpx.codes.OK]
    elapsed = max((answer.due + answer.seconds for answer in answers), default=seconds)
    return Capacity(
        len(good) / elapsed, clients, _percentile_ms(good, 50), _percentile_ms(good, 99)
    )


def goodput(
    running: Running, data: bytes, times: float, per_second: float, seconds: float
) -> Goodput:
    """Offer requests at random times beside a steady health probe, and count the outcomes.

    The rate is `times` the capacity `per_second`.
    """
    load = Stream(
        running.server.request(data, DEADLINE_SECONDS),
        poisson(times * per_second, seconds),
        patience=_GIVE_UP_SECONDS,
    )
    probe = Stream(request(running.server.alive), uniform(_PROBES_PER_SECOND, seconds))
    record = send(running.port, {"predict": load, "probe": probe})
    settle(running)

    # Predictions that complete after the load has ended come from the queue and are not throughput.
    answers = record.answers["predict"]
    predicted = [answer for answer in answers if answer.status == httpx.codes.OK]
    in_time = [answer for answer in predicted if answer.seconds <= DEADLINE_SECONDS]
    good = sum(answer.due + answer.seconds <= seconds for answer in in_time)
    refused = sum(answer.status in _REFUSALS for answer in answers)
    probes = record.answers["probe"]

    return Goodput(
        times=times,
        offered=len(answers) / seconds,
        good=good / seconds,
        refused=refused,
        late=len(predicted) - len(in_time),
        other=len(answers) - len(predicted) - refused,
        probe_p99=_percentile_ms(probes, 99),
        unanswered_probes=sum(answer.status != httpx.codes.OK for answer in probes),
        cpu_share=record.cpu_share,
    )


def computed_for_leavers(running: Running, data: bytes, per_second: float) -> tuple[int, int]:
    """Send 200 requests whose clients disconnect 100 ms after sending.

    Return the number of requests that were still unanswered when their client disconnected, and the
    number of images that the server computed.
    """
    times = poisson(_LEAVERS_SPEEDUP * per_second, 2 * LEAVERS / per_second)[:LEAVERS]
    stream = Stream(running.server.request(data), times, patience=_PATIENCE_SECONDS)

    before = running.computed()
    answers = send(running.port, {"leave": stream}).answers["leave"]
    settle(running)

    unanswered = sum(answer.status == LEFT for answer in answers)
    return unanswered, running.computed() - before


def settle(running: Running) -> None:
    """Wait until the server has computed nothing for 1.5 s, but at most 40 s."""
    end = time.monotonic() + _MAX_SETTLE_SECONDS
    last_count = running.computed()
    last_change = time.monotonic()

    while time.monotonic() < end and time.monotonic() - last_change < _QUIET_SECONDS:
        time.sleep(0.1)
        count = running.computed()
        if count != last_count:
            last_count = count
            last_change = time.monotonic()


def _percentile_ms(answers: Sequence[Answer], percentile: float) -> float:
    """Return a percentile of the latencies in milliseconds, NaN if there are no answers."""
    if not answers:
        return float("nan")
    return float(np.percentile([answer.seconds for answer in answers], percentile)) * 1e3
