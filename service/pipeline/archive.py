"""Build objects for archives from explained images, one after the other, in reader processes.

An overlay shows the whole mammogram, so its file is read a second time: the picture of a decision
is smaller. One picture and one object are made at a time, and a file that no further object needs
is let go. A large overlay keeps its turn until it has become an object: both are held for a moment.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from service import rendering
from service.imaging import PictureTask, RunTask
from service.objects import BuildTask
from service.observability.stopwatch import Stopwatch
from service.pipeline.drawing import draw_overlay_samples, draw_thumbnail, turn_to_draw
from service.pipeline.exam import Exam, ExplainedImage
from service.pipeline.exam_files import ExamFile
from service.pipeline.steps import Explanation
from service.records import (
    ExamResults,
    ImageResult,
    ObjectName,
    ObjectPart,
    ObjectRequest,
    PixelSyntax,
)
from service.rendering import Colormap, PictureFormat, Style

Samples = NDArray[np.uint8]

THUMBNAIL_EDGE = 800
"""Long edge of the pictures of images on the summary, and so of what a decision has to read."""
_STYLE = Style(Colormap.INFERNO, opacity=0.6, long_edge=math.inf)


@dataclass(slots=True)
class ArchiveSource:
    """An explained image, and the bytes of its file until no object needs them."""

    explanation: Explanation
    data: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ArchiveOrder:
    """Objects to build from results; see `ObjectRequest`."""

    results: ExamResults
    parts: tuple[ObjectPart, ...]
    syntax: PixelSyntax
    request_id: str
    time: datetime
    software_version: str


def archive_sources(exam: Exam, files: Sequence[ExamFile]) -> dict[int, ArchiveSource]:
    """Return the answered images of an exam with their files, by position."""
    return {
        position: ArchiveSource(image.explanation, file.data)
        for position, (image, file) in enumerate(zip(exam.images, files, strict=True))
        if isinstance(image, ExplainedImage)
    }


def build_objects(
    order: ArchiveOrder, sources: Mapping[int, ArchiveSource], run: RunTask, timer: Stopwatch
) -> Iterator[bytes]:
    """Yield each object of the order, in its order, as a DICOM file.

    `sources`: the answered images by position, with pictures of at least `THUMBNAIL_EDGE`.

    Raises:
        ImageError: a file cannot be read again, or has no object that could be stored.
    """
    for number, part in enumerate(order.parts):
        _let_go(sources, order.parts[number:])
        if part.name is ObjectName.SC and part.position is not None:
            content = _build_overlay(order, part, sources[part.position], run, timer)
        else:
            content = _build(order, part, _draw_page(order, part, sources, timer), run, timer)
        yield content


def _let_go(sources: Mapping[int, ArchiveSource], remaining: Sequence[ObjectPart]) -> None:
    """Forget the files that none of the remaining objects needs."""
    needed = {part.position for part in remaining if part.name is ObjectName.SC}
    for position in sources.keys() - needed:
        sources[position].data = None


def _build_overlay(
    order: ArchiveOrder, part: ObjectPart, source: ArchiveSource, run: RunTask, timer: Stopwatch
) -> bytes:
    """Read the whole mammogram, draw the overlay over it and return its object."""
    with timer.step("decode"):
        grey = run(PictureTask(), source.data or b"")

    prediction = source.explanation.prediction
    reading = replace(prediction.reading, picture=grey)
    whole = replace(source.explanation, prediction=replace(prediction, reading=reading))
    model = order.results.model
    line = f"AI, research only, {model.name}/{model.version}"

    frame = (reading.facts.rows, reading.facts.columns)
    with turn_to_draw(frame, _STYLE):
        with timer.step("render"):
            overlay = draw_overlay_samples(whole, _STYLE, [line])
        return _build(order, part, overlay, run, timer)


def _draw_page(
    order: ArchiveOrder, part: ObjectPart, sources: Mapping[int, ArchiveSource], timer: Stopwatch
) -> Samples | None:
    """Return the page of a summary, None for an object without a picture."""
    if part.name is not ObjectName.SUMMARY:
        return None
    with timer.step("render"):
        explanations = {place: source.explanation for place, source in sources.items()}
        return draw_summary(order.results, explanations)


def _build(
    order: ArchiveOrder, part: ObjectPart, picture: Samples | None, run: RunTask, timer: Stopwatch
) -> bytes:
    """Return the object with this RGB picture, None for one without pixels."""
    with timer.step("object"):
        data = b"" if picture is None else np.ascontiguousarray(picture).data.cast("B")
        return run(BuildTask(_request(order, part, picture)), data)


def draw_summary(results: ExamResults, explanations: Mapping[int, Explanation]) -> Samples:
    """Draw the summary page as RGB [height, width, 3].

    `explanations`: of the answered images by position, with pictures of the mammograms. Heat is
    drawn on those decided positive.
    """
    positive = {
        position
        for position, image in enumerate(results.images)
        if isinstance(image, ImageResult) and image.decision.positive
    }
    thumbnails = {
        position: draw_thumbnail(explanation, THUMBNAIL_EDGE, with_heat=position in positive)
        for position, explanation in explanations.items()
    }
    return rendering.summary_page(results, thumbnails)


def draw_summary_png(
    results: ExamResults, explanations: Mapping[int, Explanation], text: Mapping[str, str]
) -> bytes:
    """Draw the summary page as a PNG with these texts; see `draw_summary`."""
    page = draw_summary(results, explanations)
    return rendering.encode(page, PictureFormat.PNG, text)


def _request(order: ArchiveOrder, part: ObjectPart, picture: Samples | None) -> ObjectRequest:
    """Return the request for one object of the order."""
    shape = None if picture is None else (picture.shape[0], picture.shape[1])
    return ObjectRequest(
        part=part,
        parts=order.parts,
        results=order.results,
        picture_shape=shape,
        syntax=order.syntax,
        request_id=order.request_id,
        time=order.time,
        software_version=order.software_version,
    )
