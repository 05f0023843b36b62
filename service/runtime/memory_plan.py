"""Plan of the memory: the most that the service and its readers take together.

The number of readers is chosen so that the plan fits into the memory of the container.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from service.host.cores import usable_cores
from service.host.memory import MEBIBYTE
from service.host.memory_limit import MemoryLimit
from service.imaging import Limits
from service.model import MANIFEST_FILE, Manifest, newest_version
from service.rendering import MAX_WEBP_EDGE
from service.settings import FAKE, Settings

_MAX_READERS = 8
"""Readers by default on a machine with that many cores. Each takes some 110 MiB when idle."""

_MODEL_CALLS = 2
"""Calls of the model at a time: while one runs a single-core step, the other uses another core."""

# Measured with the demo model: 650 MiB when ready and 200 MiB more after hours of mixed traffic.
_SERVICE_BYTES = 850 * MEBIBYTE
_READER_BYTES = 110 * MEBIBYTE
_USUAL_CALL_BYTES = 384 * MEBIBYTE
_VERSIONS = 2  # of a model, while a new one is loaded beside the old one
# Bytes for each pixel of a picture of the size of its source.
_DRAWN_BYTES = 12  # while it is drawn, and becomes an object, one at a time
_DRAWN_WEBP_BYTES = 24  # the same as WebP, which is bounded
_HELD_BYTES = 4  # the grey mammogram and the picture, for each slot of the explanations
_OBJECT_BYTES = 3.75  # an object with it: RGB, of which noise as JPEG-LS is larger by a quarter
_SAMPLES_BYTES = 4  # packed samples, in the shared file and on their way into an answer
_EXPLAINED_BYTES = 3 * MEBIBYTE  # an image of an exam: as it was read, its heat and its header
_GIBIBYTE = 2**30


def wanted_readers(settings: Settings, cores: int) -> int:
    """Return the number of readers that is set, or that of the cores, at most eight."""
    return settings.readers or min(cores, _MAX_READERS)


def model_calls(cores: int) -> int:
    """Return the number of calls of the model that run at a time on that many cores."""
    return min(cores, _MODEL_CALLS)


class MemoryTooSmall(RuntimeError):
    """The settings need more memory than there is. The message names both and the settings."""


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Bytes of each part. `exams`: their images. `reader`: one process with the largest file.

    A reader shares its file with the service: an upload on the way in, an object or samples on the
    way out.
    """

    service: int
    calls: int
    bodies: int
    pictures: int
    exams: int
    reader: int
    readers: int
    limit: MemoryLimit

    @classmethod
    def make(cls, settings: Settings, limit: MemoryLimit) -> Self:
        """Plan for the number of readers that is set, or for the largest that fits.

        Raises:
            MemoryTooSmall: the settings do not fit into the limit, even with one reader.
        """
        limits = Limits(settings.max_pixels, settings.max_decode_seconds)
        webp_pixels = min(settings.max_pixels, MAX_WEBP_EDGE**2)
        drawn = max(_DRAWN_BYTES * settings.max_pixels, _DRAWN_WEBP_BYTES * webp_pixels)
        plan = cls(
            service=_SERVICE_BYTES + _VERSIONS * _model_bytes(settings.model),
            calls=model_calls(usable_cores()) * _call_bytes(settings.model),
            bodies=settings.max_body_bytes,
            pictures=drawn + _HELD_BYTES * settings.explain_slots * settings.max_pixels,
            exams=_EXPLAINED_BYTES * settings.explain_slots * settings.max_exam_images,
            reader=_READER_BYTES + limits.max_memory_bytes + _shared_bytes(settings),
            readers=wanted_readers(settings, usable_cores()),
            limit=limit,
        )
        if settings.readers is None:
            plan = plan.with_fewer_readers()
        if plan.total > limit.size:
            raise MemoryTooSmall(plan.refusal(settings))
        return plan

    @property
    def total(self) -> int:
        """The most that all parts take together."""
        return self._without_readers + self.readers * self.reader

    @property
    def _without_readers(self) -> int:
        return self.service + self.calls + self.bodies + self.pictures + self.exams

    def with_fewer_readers(self) -> Self:
        """Return the plan with as many readers as fit, at least one and at most as many as now."""
        fitting = (self.limit.size - self._without_readers) // self.reader
        return replace(self, readers=max(1, min(self.readers, fitting)))

    def describe(self) -> str:
        """Return the plan as one line for the log."""
        return (
            f"memory: at most {_gib(self.total)} of the {_gib(self.limit.size)} GiB of this "
            f"{self.limit.owner}: service {_gib(self.service)}, calls of the model "
            f"{_gib(self.calls)}, bodies {_gib(self.bodies)}, pictures {_gib(self.pictures)}, "
            f"exams {_gib(self.exams)}, "
            f"{self.readers} reader(s) of {_gib(self.reader)} GiB"
        )

    def refusal(self, settings: Settings) -> str:
        """Return the line that says why the settings do not fit, and what to change."""
        return (
            f"the settings may need {_gib(self.total)} GiB of memory, and this "
            f"{self.limit.owner} has {_gib(self.limit.size)}: service and model "
            f"{_gib(self.service + self.calls)}, bodies {_gib(self.bodies)} "
            f"(MAMMOLENS_MAX_BODY_BYTES={self.bodies}), pictures {_gib(self.pictures)} "
            f"(MAMMOLENS_MAX_PIXELS={settings.max_pixels}, "
            f"MAMMOLENS_MAX_REQUESTS={settings.max_requests}), exams {_gib(self.exams)} "
            f"(MAMMOLENS_MAX_EXAM_IMAGES={settings.max_exam_images}), "
            f"{self.readers} reader(s) of {_gib(self.reader)} (MAMMOLENS_READERS, "
            f"MAMMOLENS_MAX_PIXELS, MAMMOLENS_MAX_UPLOAD_BYTES={settings.max_upload_bytes}). "
            "Lower one of them, or raise the limit"
        )


def _gib(size: int) -> str:
    return f"{size / _GIBIBYTE:.1f}"


def _shared_bytes(settings: Settings) -> int:
    """Return the most that service and reader hand to each other: an upload, object or samples."""
    handed = math.ceil(max(_OBJECT_BYTES, _SAMPLES_BYTES) * settings.max_pixels)
    return max(settings.max_upload_bytes, handed)


def _model_bytes(model: Path) -> int:
    """Return the size of the files of the newest version, 0 if they cannot be read yet."""
    if model == FAKE:
        return 0
    try:
        files = [file for file in newest_version(model).rglob("*") if file.is_file()]
        return sum(file.stat().st_size for file in files)
    except OSError:
        return 0


def _call_bytes(model: Path) -> int:
    """Return the most that a call of the newest version takes.

    A manifest that cannot be read is refused when the model is loaded.
    """
    if model == FAKE:
        return 0
    try:
        content = (newest_version(model) / MANIFEST_FILE).read_bytes()
        return Manifest.model_validate_json(content).call_bytes
    except (OSError, ValidationError):
        return _USUAL_CALL_BYTES
