"""The plan of the memory: worked by hand for the stand-in model, which has no calls to count."""

import math
import pickle
import tracemalloc
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from ruamel.yaml import YAML

from service import pipeline
from service.errors import Busy
from service.geometry import Affine
from service.host.memory_limit import MemoryLimit
from service.imaging import read
from service.imaging.dicom.source_header import MAX_HEADER_BYTES
from service.model import FakeModel
from service.observability.stopwatch import Stopwatch
from service.pipeline import Question, drawing
from service.records import Box, DrawnHeat, Pixels
from service.rendering import Colormap, Style, overlay
from service.runtime import memory_plan
from service.runtime.body_memory import BodyMemory
from service.runtime.memory_plan import MemoryPlan, MemoryTooSmall
from service.settings import FAKE, Settings
from tests.support.paths import ROOT

MEBIBYTE = 2**20
GIBIBYTE = 2**30
# 850 MiB, 512 MiB of bodies, 3 MiB for each of 8 images in 4 slots, and (12 + 4 * 4) bytes for each
# of 64 million pixels.
WITHOUT_READERS = (850 + 512 + 3 * 8 * 4) * MEBIBYTE + 28 * 64_000_000
# 110 MiB, 512 MiB, and for each of 64 million pixels 16 bytes and 4 of the packed samples.
READER = (110 + 512) * MEBIBYTE + (16 + 4) * 64_000_000


@pytest.fixture(autouse=True)
def _eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_plan, "usable_cores", lambda: 8)


def plan(settings: Settings, size: int) -> MemoryPlan:
    return MemoryPlan.make(settings, MemoryLimit(size, "container"))


@pytest.mark.parametrize(
    ("size", "readers"),
    [
        (WITHOUT_READERS + READER, 1),
        (WITHOUT_READERS + 2 * READER - 1, 1),
        (WITHOUT_READERS + 2 * READER, 2),
        (WITHOUT_READERS + 100 * READER, 8),
    ],
)
def test_as_many_readers_as_fit(size: int, readers: int) -> None:
    planned = plan(Settings(model=FAKE), size)

    assert planned.readers == readers
    assert planned.total == WITHOUT_READERS + readers * READER <= size


def test_settings_that_cannot_fit_are_refused() -> None:
    with pytest.raises(MemoryTooSmall) as refused:
        plan(Settings(model=FAKE), 4 * GIBIBYTE)

    line = str(refused.value)
    needed = (WITHOUT_READERS + READER) / GIBIBYTE
    assert line.startswith(
        f"the settings may need {needed:.1f} GiB of memory, and this container has 4.0: "
    )
    for variable in (
        "MAX_BODY_BYTES", "MAX_PIXELS", "MAX_UPLOAD_BYTES", "READERS", "MAX_REQUESTS",
        "MAX_EXAM_IMAGES",
    ):  # fmt: skip
        assert f"MAMMOLENS_{variable}" in line
    assert "\n" not in line


def test_set_number_of_readers_is_kept_or_refused() -> None:
    settings = Settings(model=FAKE, readers=3)

    assert plan(settings, WITHOUT_READERS + 3 * READER).readers == 3
    with pytest.raises(MemoryTooSmall, match=r"3 reader\(s\)"):
        plan(settings, WITHOUT_READERS + 3 * READER - 1)


@pytest.mark.parametrize(
    ("pixels", "shared"), [(30_000_000, 128 * MEBIBYTE), (64_000_000, 256_000_000)]
)
def test_reader_has_room_for_file_or_samples(pixels: int, shared: int) -> None:
    """Of 30 million pixels the samples are smaller than the largest upload."""
    planned = plan(Settings(model=FAKE, max_pixels=pixels), 64 * GIBIBYTE)

    assert planned.reader == (110 + 512) * MEBIBYTE + 16 * pixels + shared


@pytest.mark.parametrize("cores", [1, 2, 8])
def test_fewer_pixels_fit_into_four_gibibytes(monkeypatch: pytest.MonkeyPatch, cores: int) -> None:
    monkeypatch.setattr(memory_plan, "usable_cores", lambda: cores)
    settings = Settings(model=ROOT / "models" / "demo", max_pixels=30_000_000)

    assert plan(settings, 4 * GIBIBYTE).readers == 1


def test_calls_of_model_are_those_of_its_manifest() -> None:
    """Two calls with gradients, each six times the largest maps of the images in it."""
    demo = plan(Settings(model=ROOT / "models" / "demo"), 64 * GIBIBYTE)

    assert 2 * 6 * 32 * MEBIBYTE < demo.calls <= 2 * 6 * 64 * MEBIBYTE


def test_unreadable_model_is_planned_as_usual(tmp_path: Path) -> None:
    """Its load then says why it cannot be served."""
    missing = plan(Settings(model=tmp_path / "none"), 64 * GIBIBYTE)

    assert missing.calls == 2 * 384 * MEBIBYTE


@pytest.mark.parametrize("cores", [2, 4, 8])
def test_limit_of_compose_fits_its_plan(monkeypatch: pytest.MonkeyPatch, cores: int) -> None:
    monkeypatch.setattr(memory_plan, "usable_cores", lambda: cores)
    compose = YAML(typ="safe").load(ROOT / "docker-compose.yml")
    size = int(compose["services"]["mammolens"]["mem_limit"].removesuffix("g"))

    planned = plan(Settings(model=ROOT / "models" / "demo"), size * GIBIBYTE)

    assert planned.readers == 2
    assert planned.total <= size * GIBIBYTE


def test_picture_takes_planned_bytes_per_pixel() -> None:
    """Noise, whose PNG is as large as can be."""
    edge = 1000
    grey = np.random.default_rng(1).integers(0, 256, (edge, edge), dtype=np.uint8)
    to_source = Affine(edge / 40, 0.0, edge / 40, 0.0)
    heat = DrawnHeat(np.ones((40, 40), np.float32), to_source, Box(0, 0, edge, edge), 1.0)
    style = Style(Colormap.INFERNO, 0.5, math.inf)

    tracemalloc.start()
    overlay(grey, (edge, edge), heat, style, {})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak / edge**2 < memory_plan._DRAWN_BYTES


def test_large_pictures_are_drawn_in_turn() -> None:
    style = Style(Colormap.INFERNO, 0.5, math.inf)
    frame = (3000, 2000)

    with drawing.turn_to_draw(frame, style):
        is_taken = drawing._DRAWING_LARGE.locked()
        small = drawing.turn_to_draw(frame, Style(Colormap.INFERNO, 0.5, 1024.0))

    assert is_taken
    assert small is not drawing._DRAWING_LARGE


def test_explained_image_takes_planned_bytes(breast: Pixels) -> None:
    """What an exam holds of an image, beside a header of 2 MiB at most."""
    png = cv2.imencode(".png", breast)[1].tobytes()
    explanation = pipeline.explain(FakeModel(), read, png, Stopwatch(), Question())

    held = len(pickle.dumps(explanation)) + MAX_HEADER_BYTES

    assert held < memory_plan._EXPLAINED_BYTES


def test_bodies_of_largest_exams_stay_within_plan() -> None:
    """Of four exams of the largest size from four callers, the third finds no room."""
    settings = Settings(model=FAKE)
    memory = BodyMemory(settings.max_body_bytes, settings.exam_bytes)
    held = []

    for caller in "abcd":
        with suppress(Busy):
            body = memory.hold(caller)
            body.grow(settings.exam_bytes)
            held.append(caller)

    assert held == ["a", "b"]
    assert memory.held_bytes <= plan(settings, 64 * GIBIBYTE).bodies
