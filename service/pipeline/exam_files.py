"""Explain one file of an exam: the outcome, with the origin and the header of the file."""

from collections.abc import Callable
from dataclasses import dataclass, field

from service.errors import ImageError
from service.imaging import (
    FileOrigin,
    NamingReader,
    OriginTask,
    Reading,
    ReadSourceTask,
    RunTask,
    SamplesTask,
    SourceReading,
)
from service.model import Model
from service.observability.stopwatch import Lap, Stopwatch
from service.pipeline.steps import Explanation, Question, explain
from service.records import FitParameters, NamedFacts, PackedSamples


@dataclass(frozen=True, slots=True)
class ExamFile:
    """A file of an exam. `named`: side and view as the caller names them."""

    data: bytes = field(repr=False)
    named: NamedFacts = field(default_factory=NamedFacts)


@dataclass(frozen=True, slots=True)
class SampleOrder:
    """Samples that are wanted of every image, with that long edge in pixels.

    `hold`: takes note of the bytes of each image before the next one is read, or raises.
    """

    long_edge: float
    hold: Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class SourceReader:
    """Reader of files with their origin and header, and with the samples that are wanted."""

    run_task: RunTask
    picture_edge: float
    key: bytes
    with_header: bool
    order: SampleOrder | None

    def read(self, data: bytes, parameters: FitParameters) -> SourceReading:
        """Read and fit the file; see `Read`."""
        task = ReadSourceTask(parameters, self.picture_edge, self.key, with_header=self.with_header)
        return self.run_task(task, data)

    def samples(self, data: bytes, timer: Stopwatch) -> PackedSamples | None:
        """Return the samples of the file, None if they were not asked for."""
        if self.order is None:
            return None
        with timer.step("samples"):
            samples = self.run_task(SamplesTask(self.order.long_edge), data)
        self.order.hold(samples.content)
        return samples

    def origin(self, data: bytes) -> FileOrigin | None:
        """Return the origin of a file that was refused, None if it cannot be read."""
        try:
            return self.run_task(OriginTask(self.key), data)
        except ImageError:
            return None


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of a file: an explanation or a refusal.

    `header`: it names the patient. `samples`: None if they were not asked for.
    """

    explanation: Explanation | None
    refusal: ImageError | None
    origin: FileOrigin | None
    header: bytes | None = field(repr=False)
    laps: tuple[Lap, ...]
    samples: PackedSamples | None = None


def explain_file(
    model: Model, source: SourceReader, file: ExamFile, question: Question
) -> FileOutcome:
    """Explain one file, or note the error for which it is refused."""
    timer = Stopwatch()
    readings: list[SourceReading] = []

    def read(data: bytes, parameters: FitParameters, picture_edge: float = 0) -> Reading:
        del picture_edge  # that of the exam counts
        readings.append(source.read(data, parameters))
        return readings[-1].reading

    try:
        naming = NamingReader(read, file.named)
        explanation = explain(model, naming, file.data, timer, question)
        samples = source.samples(file.data, timer)
    except ImageError as error:
        return FileOutcome(None, error, source.origin(file.data), None, tuple(timer.laps))

    (reading,) = readings
    laps = tuple(timer.laps)
    return FileOutcome(explanation, None, reading.origin, reading.header, laps, samples)
