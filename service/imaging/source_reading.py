"""Read a file together with its origin and its header, as exams and objects for archives need.

The tasks run in a reader process: nothing that names a patient is compared or parsed elsewhere.
"""

from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from service.imaging.dicom.opening import has_prefix, is_bare_dataset
from service.imaging.dicom.source_header import (
    FileOrigin,
    find_origin,
    read_source_elements,
    write_source_header,
)
from service.imaging.limits import Limits
from service.imaging.reading import Reading, read
from service.records import FitParameters

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_DEFAULT = Limits()


class FileTask(Protocol[T_co]):
    """Work on the bytes of a file, which can be sent to a reader process."""

    def __call__(self, data: bytes, limits: Limits, /) -> T_co:
        """Return the result.

        Raises:
            ImageError: the file cannot be used.
        """
        ...


class RunTask(Protocol):
    """Runner of tasks on files, in this process or in a reader process."""

    def __call__(self, task: FileTask[T], data: bytes | memoryview) -> T:
        """Return the result of the task on the file, or raise its error."""
        ...


@dataclass(frozen=True, slots=True)
class SourceReading:
    """A reading, and the file it comes from.

    `origin`: None if the file is no DICOM. `header`: the elements that objects copy, as a DICOM
    file without pixels. It names the patient. None if it was not asked for, or for other formats.
    """

    reading: Reading
    origin: FileOrigin | None
    header: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ReadSourceTask:
    """The work of reading a file with its origin and its header.

    `origin_key`: up to 64 random bytes, the same for files whose origins are compared.
    """

    parameters: FitParameters
    picture_edge: float
    origin_key: bytes = field(repr=False)
    with_header: bool

    def __call__(self, data: bytes, limits: Limits) -> SourceReading:
        """Read and fit the file; see `Read`."""
        reading = read(data, self.parameters, self.picture_edge, limits)
        if reading.facts.format != "dicom":
            return SourceReading(reading, None)

        elements = read_source_elements(data, limits)
        origin = find_origin(elements, self.origin_key)
        header = write_source_header(elements) if self.with_header else None
        return SourceReading(reading, origin, header)


@dataclass(frozen=True, slots=True)
class OriginTask:
    """The work of finding the origin of a file, which may be refused for other reasons."""

    origin_key: bytes = field(repr=False)

    def __call__(self, data: bytes, limits: Limits) -> FileOrigin | None:
        """Return the origin, None if the file is no DICOM."""
        if not has_prefix(data) and not is_bare_dataset(data, limits):
            return None
        return find_origin(read_source_elements(data, limits), self.origin_key)


def run_task(task: FileTask[T], data: bytes | memoryview) -> T:
    """Run the task in this process, within the usual limits."""
    return task(bytes(data), _DEFAULT)
