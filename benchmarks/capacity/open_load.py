"""Arrivals that do not wait for answers, offered to a running service, and what became of them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from benchmarks.capacity.simulation import percentiles
from benchmarks.load.generator import Stream, send
from benchmarks.load.servers import Running
from benchmarks.serve import processor_seconds

_PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class OfferedLoad:
    """What became of requests that were offered to a service.

    Attributes:
        refused: share of the requests with 429.
        late: share with 504.
        other: share with any other end but an answer.
        throughput: answers a second, until the last request had its answer or refusal.
        latencies: of answers, p50 and p95, in seconds.
        cost: processor time of the service for an answer, in seconds.
        cores: that the service took meanwhile.
    """

    refused: float
    late: float
    other: float
    throughput: float
    latencies: tuple[float, float]
    cost: float
    cores: float


def offer(running: Running, request: bytes, times: Sequence[float]) -> OfferedLoad:
    """Send the request at each of these times, in seconds from the start, and wait for the end."""
    process = running.process.pid
    service = processor_seconds(process)
    start = time.perf_counter()

    stream = Stream(request, times, patience=_PATIENCE_SECONDS)
    answers = send(running.port, {"open": stream}).answers["open"]

    elapsed = time.perf_counter() - start
    service = processor_seconds(process) - service

    good = [one for one in answers if one.status == HTTPStatus.OK]
    refused = sum(one.status == HTTPStatus.TOO_MANY_REQUESTS for one in answers)
    late = sum(one.status == HTTPStatus.GATEWAY_TIMEOUT for one in answers)
    end = max(one.due + one.seconds for one in answers)
    return OfferedLoad(
        refused=refused / len(answers),
        late=late / len(answers),
        other=(len(answers) - len(good) - refused - late) / len(answers),
        throughput=len(good) / end,
        latencies=percentiles([one.seconds for one in good]),
        cost=service / max(1, len(good)),
        cores=service / elapsed,
    )
