"""Source images of an object: their results, and the headers of their files.

A header names the patient. Its values reach nothing but the object.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO

from pydicom import config, dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID

from service.errors import NotStorable
from service.objects.header_values import readable
from service.records import ExamResults, ImageResult

_ROOT = re.compile(r"[0-2]\.")
_IDENTIFIERS = {
    "StudyInstanceUID": "Study Instance UID",
    "SeriesInstanceUID": "Series Instance UID",
    "SOPInstanceUID": "SOP Instance UID",
    "SOPClassUID": "SOP Class UID",
}


@dataclass(frozen=True, slots=True)
class Source:
    """An answered image. `position`: in the results. `header`: of its file."""

    position: int
    result: ImageResult
    header: Dataset = field(repr=False)

    @property
    def uid(self) -> str:
        """SOP Instance UID."""
        return str(self.header.SOPInstanceUID)

    @property
    def sop_class(self) -> str:
        """SOP Class UID."""
        return str(self.header.SOPClassUID)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the file."""
        return self.result.facts.rows, self.result.facts.columns

    @property
    def view_name(self) -> str:
        """Side and view as far as they are known, such as "L CC"."""
        facts = self.result.facts
        return " ".join(part for part in (facts.laterality, facts.view) if part) or "view unknown"


@contextmanager
def quiet() -> Iterator[None]:
    """Let pydicom take odd values of a header without quoting them in a warning."""
    mode = config.settings.reading_validation_mode
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config.settings.reading_validation_mode = config.IGNORE
        try:
            yield
        finally:
            config.settings.reading_validation_mode = mode


def read_sources(results: ExamResults) -> tuple[Source, ...]:
    """Return the answered images, in the order of the results.

    Raises:
        NotStorable: a file has no identity in an archive.
    """
    return tuple(
        read_source(results, position)
        for position, image in enumerate(results.images)
        if isinstance(image, ImageResult)
    )


def read_source(results: ExamResults, position: int) -> Source:
    """Return one answered image.

    Raises:
        NotStorable: its file has no identity in an archive.
    """
    result = results.images[position]
    if not isinstance(result, ImageResult):
        raise TypeError("the image was refused")
    name = "The file" if len(results.images) == 1 else f"File {position + 1} of the exam"
    if result.header is None:
        raise NotStorable(f"{name} is not DICOM, so an archive has no study for its results.")

    try:
        header = dcmread(BytesIO(result.header))
    except InvalidDicomError:
        raise NotStorable(f"{name} has a header that cannot be copied.") from None

    for keyword, identifier in _IDENTIFIERS.items():
        if not is_uid(readable(header, keyword)):
            raise NotStorable(f"{name} has no {identifier}, or an invalid one.")
    if UID(header.SOPClassUID).type != "SOP Class":
        raise NotStorable(f"{name} has an unknown SOP Class UID.")
    return Source(position, result, header)


def is_uid(value: object) -> bool:
    """Return whether the value is one valid UID."""
    if not isinstance(value, str) or not _ROOT.match(value):
        return False
    return UID(value, config.IGNORE).is_valid
