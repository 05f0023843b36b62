"""Objects of an exam, one after the other: their pictures, their order, and the files they need."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
import pytest

from service import pipeline
from service.imaging import FileTask, Limits, PictureTask, read
from service.model import FakeModel
from service.objects import BuildTask
from service.observability.stopwatch import Stopwatch
from service.pipeline import drawing
from service.pipeline.archive import (
    THUMBNAIL_EDGE,
    ArchiveOrder,
    ArchiveSource,
    build_objects,
)
from service.pipeline.archive_choice import choose_parts
from service.records import ExamResults, ObjectName, ObjectPart, PixelSyntax
from tests.support.results import exam_of, image_result

RESULTS = exam_of(image_result(), image_result(positive=False), image_result())
TIME = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)


@dataclass
class Readers:
    """Reader processes that keep the tasks, and make no objects."""

    tasks: list[tuple[FileTask[Any], bytes]] = field(default_factory=list)

    def run(self, task: FileTask[Any], data: bytes | memoryview) -> Any:
        """Keep the task. Run it, unless it makes an object."""
        self.tasks.append((task, bytes(data)))
        return b"object" if isinstance(task, BuildTask) else task(bytes(data), Limits())

    @property
    def built(self) -> list[tuple[BuildTask, bytes]]:
        """The tasks that make objects, with their pictures."""
        return [(task, data) for task, data in self.tasks if isinstance(task, BuildTask)]


@pytest.fixture
def sources(mammogram_png: bytes) -> dict[int, ArchiveSource]:
    reader = partial(read, picture_edge=THUMBNAIL_EDGE)
    explanation = pipeline.explain(
        FakeModel(), reader, mammogram_png, Stopwatch(), pipeline.Question()
    )
    return {position: ArchiveSource(explanation, mammogram_png) for position in range(3)}


def ordered(results: ExamResults, *wanted: ObjectName) -> ArchiveOrder:
    parts = choose_parts(results, wanted or tuple(ObjectName), negatives=False)
    return ArchiveOrder(results, parts, PixelSyntax.RAW, "request-7", TIME, "0.1.0")


def source_shape(sources: dict[int, ArchiveSource]) -> tuple[int, int]:
    facts = sources[2].explanation.prediction.reading.facts
    return facts.rows, facts.columns


def test_every_part_is_built_in_its_order(sources: dict[int, ArchiveSource]) -> None:
    order = ordered(RESULTS)
    readers = Readers()

    objects = list(build_objects(order, sources, readers.run, Stopwatch()))

    requests = [task.request for task, _ in readers.built]
    assert objects == [b"object"] * 8
    assert [request.part for request in requests] == list(order.parts)
    assert {request.parts for request in requests} == {order.parts}
    assert {request.request_id for request in requests} == {"request-7"}


def test_pictures_go_with_summary_and_overlays_alone(sources: dict[int, ArchiveSource]) -> None:
    readers = Readers()

    list(build_objects(ordered(RESULTS), sources, readers.run, Stopwatch()))

    shapes = {task.request.part: task.request.picture_shape for task, _ in readers.built}
    assert shapes[ObjectPart(ObjectName.SUMMARY)] == (1200, 1600)
    assert shapes[ObjectPart(ObjectName.SC, 2)] == source_shape(sources)
    assert shapes[ObjectPart(ObjectName.SEG, 2)] is None
    for task, data in readers.built:
        rows, columns = task.request.picture_shape or (0, 0)
        assert len(data) == rows * columns * 3


def test_overlay_shows_whole_mammogram(sources: dict[int, ArchiveSource]) -> None:
    """Much of it shows neither heat nor text, but the mammogram as it is displayed."""
    readers = Readers()

    list(build_objects(ordered(RESULTS, ObjectName.SC), sources, readers.run, Stopwatch()))

    (_, data), _ = readers.built
    overlay = np.frombuffer(data, np.uint8).reshape(*source_shape(sources), 3)
    grey = PictureTask()(sources_data(readers), Limits())
    unheated = (overlay == grey[..., None]).all(axis=2)
    assert 0.1 < unheated.mean() < 1


def sources_data(readers: Readers) -> bytes:
    """Return the bytes of the file whose picture was read."""
    return next(data for task, data in readers.tasks if isinstance(task, PictureTask))


def test_files_are_let_go_once_unneeded(sources: dict[int, ArchiveSource]) -> None:
    order = ordered(RESULTS, ObjectName.REPORT, ObjectName.SC, ObjectName.SEG)
    assert [part.name for part in order.parts] == ["report", "sc", "sc", "seg", "seg"]

    held = [
        [position for position, source in sources.items() if source.data]
        for _ in build_objects(order, sources, Readers().run, Stopwatch())
    ]

    assert held == [[0, 2], [0, 2], [2], [], []]


def test_objects_are_made_one_at_a_time(sources: dict[int, ArchiveSource]) -> None:
    readers = Readers()
    objects: Iterator[bytes] = build_objects(ordered(RESULTS), sources, readers.run, Stopwatch())

    next(objects)

    assert len(readers.built) == 1


def test_large_overlay_keeps_its_turn_until_built(
    sources: dict[int, ArchiveSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Overlay and object are in memory together. The file is read before the turn."""
    monkeypatch.setattr(drawing, "_LARGE_PIXELS", 1)
    readers = Readers()
    turns: list[tuple[type[object], bool]] = []

    def run(task: FileTask[Any], data: bytes | memoryview) -> Any:
        turns.append((type(task), drawing._DRAWING_LARGE.locked()))
        return readers.run(task, data)

    wanted = (ObjectName.SC, ObjectName.SEG)
    list(build_objects(ordered(exam_of(image_result()), *wanted), sources, run, Stopwatch()))

    assert turns == [(PictureTask, False), (BuildTask, True), (BuildTask, False)]


def test_time_of_steps_is_kept(sources: dict[int, ArchiveSource]) -> None:
    timer = Stopwatch()

    list(build_objects(ordered(RESULTS), sources, Readers().run, timer))

    assert timer.milliseconds.keys() == {"render", "object", "decode"}


def test_heat_of_negative_image_is_not_on_summary(sources: dict[int, ArchiveSource]) -> None:
    """One image alone, the same twice: decided positive, and decided negative."""
    readers = Readers()
    for positive in (True, False):
        result = replace(image_result(positive=positive), regions=())
        order = ordered(exam_of(result), ObjectName.SUMMARY)
        list(build_objects(order, {0: sources[0]}, readers.run, Stopwatch()))

    colourful = [_colourful_pixels(data) for _, data in readers.built]

    assert colourful[0] > colourful[1] + 5000


def _colourful_pixels(data: bytes) -> int:
    page = np.frombuffer(data, np.uint8).reshape(-1, 3).astype(int)
    return int((np.ptp(page, axis=1) > 40).sum())
