"""Draw docs/summary.png: the summary page of the demo bundle's answer to docs/sample-exam."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from PIL import Image

from service import pipeline, rendering
from service.imaging import FileTask, Limits
from service.model import Model
from service.observability.stopwatch import Stopwatch
from service.records import ImageResult

T = TypeVar("T")

EDGE = 800  # of the mammograms, in pixels


def draw_summary(model: Model, folder: Path) -> Image.Image:
    """Return the summary page of the exam whose files are in this folder."""
    question = pipeline.ExamQuestion(picture_edge=EDGE)
    files = [pipeline.ExamFile(path.read_bytes()) for path in sorted(folder.glob("*.dcm"))]
    exam = pipeline.explain_exam(model, _run_task, files, Stopwatch(), question, _run_all)
    results = pipeline.exam_results(exam, model, question)

    thumbnails = {}
    for position, (image, result) in enumerate(zip(exam.images, results.images, strict=True)):
        if isinstance(image, pipeline.ExplainedImage) and isinstance(result, ImageResult):
            with_heat = bool(result.decision.positive)
            thumbnails[position] = pipeline.draw_thumbnail(
                image.explanation, EDGE, with_heat=with_heat
            )
    return Image.fromarray(rendering.summary_page(results, thumbnails))


def _run_task(task: FileTask[T], data: bytes | memoryview) -> T:
    return task(bytes(data), Limits())


def _run_all(calls: Sequence[Callable[[], T]]) -> list[T]:
    return [call() for call in calls]
