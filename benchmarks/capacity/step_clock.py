"""Processor time of the steps of requests, measured in this process."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import TypeVar
from unittest.mock import patch

from service import pipeline
from service.api.negotiation import MediaType
from service.api.options import GradcamOptions
from service.imaging import FileTask, Limits, read
from service.model import Bundle
from service.observability import stopwatch
from service.observability.stopwatch import Stopwatch
from service.pipeline import ExamFile, ExamQuestion

T = TypeVar("T")

_STEP_OF_LAP = {"render": "draw"}


@contextmanager
def processor_laps() -> Iterator[None]:
    """Let stopwatches count the processor time of this process, all its threads included."""
    clock = SimpleNamespace(time=time.time, perf_counter=time.process_time)
    with patch.object(stopwatch, "time", clock):
        yield


def seconds_by_step(bundle: Bundle, route: str, files: Sequence[bytes]) -> dict[str, float]:
    """Return the processor time of each step of one request.

    `files`: one, or for `/exam` all of the exam.
    """
    work: Mapping[str, Callable[[Stopwatch], object]] = {
        "/predict": partial(pipeline.predict, bundle, read, files[0]),
        "/gradcam": partial(_gradcam, bundle, files[0]),
        "/exam": partial(_exam, bundle, files),
    }
    timer = Stopwatch()
    with processor_laps():
        work[route](timer)

    return {
        _STEP_OF_LAP.get(step, step): milliseconds / 1e3
        for step, milliseconds in timer.milliseconds.items()
    }


def _gradcam(bundle: Bundle, data: bytes, timer: Stopwatch) -> None:
    """Explain one file and draw the picture that the JSON of `/gradcam` holds."""
    options = GradcamOptions()
    style = options.style(MediaType.JSON)
    render = options.rendering(MediaType.JSON)
    reader = partial(read, picture_edge=pipeline.picture_edge(render, style))

    explained = pipeline.explain(bundle, reader, data, timer, options.question())
    pipeline.draw_heatmap(explained, render, style, {}, timer)


def _exam(bundle: Bundle, files: Sequence[bytes], timer: Stopwatch) -> None:
    exam_files = [ExamFile(data) for data in files]
    pipeline.explain_exam(bundle, _run_task, exam_files, timer, ExamQuestion(), _run_all)


def _run_task(task: FileTask[T], data: bytes | memoryview) -> T:
    return task(bytes(data), Limits())


def _run_all(calls: Sequence[Callable[[], T]]) -> list[T]:
    return [call() for call in calls]
