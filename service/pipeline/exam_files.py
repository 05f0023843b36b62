"""Explain one file of an exam: the outcome, with the origin and the header of the file."""

from dataclasses import dataclass, field

from service.errors import ImageError
from service.imaging import (
    FileOrigin,
    NamingReader,
    OriginTask,
    Reading,
    ReadSourceTask,
    RunTask,
    SourceReading,
)
from service.model import Model
from service.observability.stopwatch import Lap, Stopwatch
from service.pipeline.steps import Explanation, Question, explain
from service.records import FitParameters, NamedFacts


@dataclass(frozen=True, slots=True)
class ExamFile:
    """A file of an exam. `named`: side and view as the caller names them."""

    data: bytes = field(repr=False)
    named: NamedFacts = field(default_factory=NamedFacts)


@dataclass(frozen=True, slots=True)
class SourceReader:
    """Reader of files with their origin and header."""

    run_task: RunTask
    picture_edge: float
    key: bytes
    with_header: bool

    def read(self, data: bytes, parameters: FitParameters) -> SourceReading:
        """Read and fit the file; see `Read`."""
        task = ReadSourceTask(parameters, self.picture_edge, self.key, with_header=self.with_header)
        return self.run_task(task, data)

    def origin(self, data: bytes) -> FileOrigin | None:
        """Return the origin of a file that was refused, None if it cannot be read."""
        try:
            return self.run_task(OriginTask(self.key), data)
        except ImageError:
            return None


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of a file: an explanation or a refusal. `header`: it names the patient."""

    explanation: Explanation | None
    refusal: ImageError | None
    origin: FileOrigin | None
    header: bytes | None = field(repr=False)
    laps: tuple[Lap, ...]


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
    except ImageError as error:
        return FileOutcome(None, error, source.origin(file.data), None, tuple(timer.laps))

    (reading,) = readings
    return FileOutcome(explanation, None, reading.origin, reading.header, tuple(timer.laps))
