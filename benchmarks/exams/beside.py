"""Latency of predictions beside exams, and beside as many images in single requests."""

from collections import Counter
from pathlib import Path

import httpx
import numpy as np

from benchmarks.exams.exam_requests import exam_files, form, serving
from benchmarks.load import measures
from benchmarks.load.generator import Answer, Stream, poisson, request, send
from benchmarks.load.servers import Running

_SMALL = (832, 640)
_LOAD = 0.5  # of the capacity, by predictions
_IMAGES_LOAD = 0.25  # of the capacity, by the images beside them
_CAPACITY_SECONDS = 4.0
_PATIENCE_SECONDS = 120.0


def compare_latencies(bundle: Path, exams: int, rounds: int, *, is_burst: bool) -> None:
    """Print p95 of `/predict` beside exams and beside single heatmaps, round by round."""
    files = exam_files(*_SMALL)
    body, content_type = form(files)
    beside = {
        "exams": [request("/exam", body, content_type)],
        "single": [request("/gradcam", data) for data in files],
    }

    with serving(bundle) as (_, running):
        capacity = measures.capacity(running, files[0], _CAPACITY_SECONDS).per_second
        seconds = exams * len(files) / (_IMAGES_LOAD * capacity)
        print(f"capacity {capacity:.1f} predictions a second, rounds of {seconds:.0f} s")
        print(f"beside: {exams} exams of {len(files)} files, or {exams * len(files)} single files")
        print("\n| round | beside | p95 of `/predict` | answers | answers beside |")
        print("|---|---|---|---|---|")

        latencies: dict[str, list[float]] = {name: [] for name in beside}
        for number in range(1, rounds + 1):
            times = [0.0 if is_burst else index * seconds / exams for index in range(exams)]
            predictions = Stream(
                running.server.request(files[0]),
                poisson(_LOAD * capacity, seconds, seed=number),
                patience=_PATIENCE_SECONDS,
            )
            for name, requests in beside.items():
                p95 = _round(running, number, name, predictions, requests, times)
                latencies[name].append(p95)
                measures.settle(running)

        exam, single = (float(np.median(values)) for values in latencies.values())
        print(f"\nmedians: {exam:.0f} ms and {single:.0f} ms, ratio {exam / single:.2f}")


def _round(
    running: Running,
    number: int,
    name: str,
    predictions: Stream,
    requests: list[bytes],
    times: list[float],
) -> float:
    """Send predictions, and the requests at each of the times. Return p95 of the predictions."""
    streams = {
        f"beside {index}": Stream(body, times, patience=_PATIENCE_SECONDS)
        for index, body in enumerate(requests)
    }
    answers = dict(send(running.port, {"predict": predictions, **streams}).answers)
    predicted = answers.pop("predict")
    others = [answer for some in answers.values() for answer in some]

    good = [answer.seconds for answer in predicted if answer.status == httpx.codes.OK]
    p95 = float(np.percentile(good, 95)) * 1e3
    print(
        f"| {number} | {name} | {p95:.0f} ms | {_statuses(predicted)} | {_statuses(others)} |",
        flush=True,
    )
    return p95


def _statuses(answers: list[Answer]) -> str:
    counts = Counter(answer.status for answer in answers)
    return ", ".join(f"{number} x {status}" for status, number in sorted(counts.items()))
