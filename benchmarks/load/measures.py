"""What is measured of each server: capacity, goodput under overload, a health probe, and work for clients that left."""

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
_WARM_SECONDS = 2.0
_QUIET_SECONDS = 1.5
_SETTLE_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Capacity:
    """The most images a second of a closed loop, at that many clients, and their latencies in milliseconds."""

    per_second: float
    clients: int
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Goodput:
    """An open load of about so many times the capacity and what became of it.

    `offered`: requests a second; `good`: predictions a second within the deadline, while requests were offered;
    `refused`: answers 429 or 503; `late`: predictions after the deadline; `other`: whatever else, with clients that
    gave up; `probe_p99` in ms; `unanswered_probes`: those without a 200; `cpu_share`: of a core, the generator's.
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
    """The best of rising numbers of clients that each wait for their answer."""
    body = running.server.request(data)
    send(running.port, {"warm": Stream(body, clients=8, seconds=_WARM_SECONDS)})
    return max(
        (_closed(running.port, body, clients, seconds) for clients in CONCURRENCIES),
        key=lambda c: c.per_second,
    )


def _closed(port: int, body: bytes, clients: int, seconds: float) -> Capacity:
    answers = send(port, {"closed": Stream(body, clients=clients, seconds=seconds)}).answers[
        "closed"
    ]
    good = [each for each in answers if each.status == httpx.codes.OK]
    took = max((each.due + each.seconds for each in answers), default=seconds)
    return Capacity(len(good) / took, clients, _milliseconds(good, 50), _milliseconds(good, 99))


def goodput(
    running: Running, data: bytes, times: float, per_second: float, seconds: float
) -> Goodput:
    """What becomes of requests at random times, as many as that multiple of the capacity, beside a steady probe."""
    streams = {
        "predict": Stream(
            running.server.request(data, DEADLINE_SECONDS),
            poisson(times * per_second, seconds),
            patience=_GIVE_UP_SECONDS,
        ),
        "probe": Stream(request(running.server.alive), uniform(_PROBES_PER_SECOND, seconds)),
    }
    record = send(running.port, streams)
    settle(running)
    predicted = [each for each in record.answers["predict"] if each.status == httpx.codes.OK]
    in_time = [each for each in predicted if each.seconds <= DEADLINE_SECONDS]
    good = sum(
        each.due + each.seconds <= seconds for each in in_time
    )  # what was queued at the end is no throughput
    busy = {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}
    refused = sum(each.status in busy for each in record.answers["predict"])
    others = len(record.answers["predict"]) - len(predicted) - refused
    probes = record.answers["probe"]
    unanswered = sum(each.status != httpx.codes.OK for each in probes)
    return Goodput(
        times=times,
        offered=len(record.answers["predict"]) / seconds,
        good=good / seconds,
        refused=refused,
        late=len(predicted) - len(in_time),
        other=others,
        probe_p99=_milliseconds(probes, 99),
        unanswered_probes=unanswered,
        cpu_share=record.cpu_share,
    )


def computed_for_leavers(running: Running, data: bytes, per_second: float) -> tuple[int, int]:
    """Of 200 requests whose clients leave 100 ms after sending: how many left unanswered, how many were computed."""
    times = poisson(_LEAVERS_SPEEDUP * per_second, 2 * LEAVERS / per_second)[:LEAVERS]
    before = running.computed()
    stream = Stream(running.server.request(data), times, patience=_PATIENCE_SECONDS)
    answers = send(running.port, {"leave": stream}).answers["leave"]
    settle(running)
    return sum(each.status == LEFT for each in answers), running.computed() - before


def settle(running: Running) -> None:
    """Waits until the server computes nothing any more, but not for ever."""
    end, last, since = time.monotonic() + _SETTLE_SECONDS, running.computed(), time.monotonic()
    while time.monotonic() < end and time.monotonic() - since < _QUIET_SECONDS:
        time.sleep(0.1)
        if (now := running.computed()) != last:
            last, since = now, time.monotonic()


def _milliseconds(answers: Sequence[Answer], share: float) -> float:
    """That percentile of their latencies; not a number where there are none."""
    return (
        float(np.percentile([each.seconds for each in answers], share)) * 1e3
        if answers
        else float("nan")
    )
