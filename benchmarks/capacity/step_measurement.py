"""Processor time of whole requests to a running service, beside that of their steps."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from benchmarks.capacity.step_clock import seconds_by_step
from benchmarks.capacity.step_table import Content, RequestCosts
from benchmarks.exams.exam_requests import form
from benchmarks.load.generator import Answer, Stream, request, send
from benchmarks.load.servers import Running
from benchmarks.serve import processor_seconds
from service.model import Bundle

# Enough for both cores. More exams would be refused, for the memory of their bodies.
_CLIENTS = {"/predict": 8, "/gradcam": 8, "/exam": 2}
_DICOM = "application/dicom"
_TIMEOUT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Bench:
    """What requests are measured with: the service, its bundle in this process, and how long.

    `rounds`: of all requests alone. `seconds`: during which requests keep all cores busy.
    """

    running: Running
    bundle: Bundle
    rounds: int
    seconds: float


@dataclass(frozen=True, slots=True)
class BusyService:
    """A service that clients keep busy: processor time of a request, and cores that it gets."""

    cost: float
    cores: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.cores / self.cost


def measure_costs(
    bench: Bench, route: str, content: Content, views: Sequence[bytes]
) -> RequestCosts:
    """Measure requests of these views: each view alone, or all of them in one exam.

    Raises:
        RuntimeError: the service refuses one.
    """
    groups = [views] if route == "/exam" else [[view] for view in views]
    bodies = [_body(group) for group in groups]
    prepared = [request(route, body, media_type) for body, media_type in bodies]

    # Alone: the steps here and the whole request at the service, in turn.
    _alone(bench, route, groups[:1], bodies[:1])  # the first one is slower
    steps: list[dict[str, float]] = []
    before = processor_seconds(bench.running.process.pid)
    for _ in range(bench.rounds):
        steps += _alone(bench, route, groups, bodies)
    whole = (processor_seconds(bench.running.process.pid) - before) / len(steps)

    # The rest is what the service takes beyond the steps.
    seconds = {step: statistics.median(one[step] for one in steps) for step in steps[0]}
    seconds["rest"] = max(0.0, whole - sum(seconds.values()))

    megabytes = statistics.fmean(len(body) for body, _ in bodies) / 1e6
    busy = measure_busy(bench, prepared, _CLIENTS[route])
    return RequestCosts(route, content, len(groups[0]), megabytes, seconds, busy.cost)


def _alone(
    bench: Bench, route: str, groups: Sequence[Sequence[bytes]], bodies: Sequence[tuple[bytes, str]]
) -> list[dict[str, float]]:
    """Send each request once. Return the seconds of its steps, run in this process."""
    steps = []
    with httpx.Client(base_url=bench.running.address, timeout=_TIMEOUT_SECONDS) as client:
        for group, (body, media_type) in zip(groups, bodies, strict=True):
            steps.append(seconds_by_step(bench.bundle, route, group))
            headers = {"Content-Type": media_type}
            client.post(route, content=body, headers=headers).raise_for_status()
    return steps


def _body(files: Sequence[bytes]) -> tuple[bytes, str]:
    """Return the body of a request with these files, and its media type."""
    return (files[0], _DICOM) if len(files) == 1 else form(files)


def measure_busy(bench: Bench, prepared: Sequence[bytes], clients: int) -> BusyService:
    """Let clients send these requests, each when it has its last answer, so that no core is idle.

    Raises:
        RuntimeError: the service refuses one.
    """
    streams = {
        str(number): Stream(one, clients=clients // len(prepared), seconds=bench.seconds)
        for number, one in enumerate(prepared)
    }
    before = processor_seconds(bench.running.process.pid)
    record = send(bench.running.port, streams).answers
    spent = processor_seconds(bench.running.process.pid) - before

    answers = _require_answered([one for part in record.values() for one in part])
    elapsed = max(answer.due + answer.seconds for answer in answers)
    return BusyService(spent / len(answers), spent / elapsed)


def _require_answered(answers: Sequence[Answer]) -> Sequence[Answer]:
    """Return the answers. Raise RuntimeError if one of them is no success."""
    failed = {answer.status for answer in answers} - {HTTPStatus.OK}
    if failed or not answers:
        raise RuntimeError(f"the service answers {sorted(failed)}")
    return answers
