"""Headers of files for objects that are made of them, and fingerprints of their study and patient.

The headers name the patient. They pass through the service unread, from one reader process to
another. Nothing of them is logged or answered.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b

from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.tag import BaseTag, Tag
from pydicom.uid import ExplicitVRLittleEndian

from service.imaging.dicom.dataset_file import (
    HIDDEN_CHARACTER_SET,
    RawElements,
    read_dataset,
    read_file_meta,
)
from service.imaging.dicom.object_keywords import OBJECT_KEYWORDS
from service.imaging.dicom.raw_encoding import RawEncoder, join, keep_smallest
from service.imaging.dicom.raw_values import plain_text
from service.imaging.library_errors import MALFORMED, silence_warnings
from service.imaging.limits import Limits

OBJECT_TAGS: Collection[BaseTag] = {*map(Tag, OBJECT_KEYWORDS), HIDDEN_CHARACTER_SET}
"""Elements that objects for archives copy."""

MAX_HEADER_BYTES = 2**21
_PRINT_BYTES = 16


@dataclass(frozen=True, slots=True)
class FileOrigin:
    """Keyed fingerprints of a file's study and patient, None where the file does not name them.

    Those of one request can be compared. They tell nothing without its key.
    """

    study: bytes | None = None
    patient: bytes | None = None


def read_source_elements(data: bytes, limits: Limits) -> RawElements:
    """Return the elements of a DICOM file that objects copy, none if its header cannot be read."""
    with silence_warnings():
        try:
            meta = read_file_meta(data)
            elements, _ = read_dataset(
                data, meta.syntax, meta.start, OBJECT_TAGS, limits.max_dataset_bytes
            )
        except MALFORMED:
            return {}
    return elements


def find_origin(elements: RawElements, key: bytes) -> FileOrigin:
    """Return the fingerprints of a file's elements. `key`: random bytes of the request."""
    return FileOrigin(
        study=_fingerprint(elements, "StudyInstanceUID", key),
        patient=_fingerprint(elements, "PatientID", key),
    )


def write_source_header(elements: RawElements) -> bytes:
    """Return the elements as a DICOM file without pixels, in Explicit VR Little Endian.

    Elements that are damaged are left out, and the largest ones if they do not fit.
    """
    with silence_warnings():
        encoded = RawEncoder().encode(elements)
        start = _file_start()
    return start + join(keep_smallest(encoded, MAX_HEADER_BYTES - len(start)))


def _fingerprint(elements: RawElements, keyword: str, key: bytes) -> bytes | None:
    element = elements.get(Tag(keyword))
    try:
        written = plain_text(element) if element else ""
    except ValueError:
        return None
    if not written:
        return None
    return blake2b(written.encode("latin-1"), digest_size=_PRINT_BYTES, key=key).digest()


@cache
def _file_start() -> bytes:
    """Return the preamble, the prefix and the file meta information."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    stream = DicomBytesIO()
    stream.write(bytes(128) + b"DICM")
    write_file_meta_info(stream, meta, enforce_standard=False)
    return stream.getvalue()
