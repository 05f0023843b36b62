"""Read DICOM elements, within bounds on their number and size.

A value of the wrong type raises the exception of pydicom or Python. Callers turn it into
CorruptImage; see `service.imaging.library_errors`.
"""

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset, read_preamble
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from service.errors import Undecodable

_FILE_META = 0x0002
_PIXEL_DATA = Tag("PixelData")
# An element takes one to three reads. The fullest headers have some thousand elements.
_MAX_READS = 200_000
# Max bytes of a value that is used: several lookup tables of 2 ** 16 entries fit.
_MAX_VALUE_BYTES = 2**21
_UNDEFINED = 0xFFFFFFFF
# A larger number is damage, and leaves float64 too few digits for grey values.
_MAX_NUMBER = 1e12


class _BoundedStream(BytesIO):
    """A BytesIO that raises after `_MAX_READS` reads, however deep or long its sequences are."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._reads_left = _MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes. Raises ValueError after too many calls."""
        self._reads_left -= 1
        if self._reads_left < 0:
            raise ValueError("too many elements")
        return super().read(size)


def open_file(data: bytes) -> tuple[UID, int]:
    """Return the transfer syntax and the offset of the dataset.

    If the file names no transfer syntax, it is little-endian, explicit or implicit by its first
    element.
    """
    stream = _BoundedStream(data)
    read_preamble(stream, force=True)
    meta = read_dataset(
        stream,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, _vr, _length: tag.group != _FILE_META,
    )
    start = stream.tell()

    if syntax := text(meta, "TransferSyntaxUID"):
        return UID(syntax), start

    has_vr = re.fullmatch(rb"[A-Z]{2}", data[start + 4 : start + 6])
    return ExplicitVRLittleEndian if has_vr else ImplicitVRLittleEndian, start


@dataclass(frozen=True, slots=True)
class PixelData:
    """Position of the value of Pixel Data: `start` to `stop` of `dataset`. It is not copied."""

    dataset: bytes
    start: int
    stop: int
    vr: str | None


def read_elements(
    data: bytes, syntax: UID, start: int, tags: Iterable[BaseTag], max_bytes: int
) -> tuple[Dataset, PixelData | None]:
    """Read the elements with these tags up to Pixel Data, and the position of Pixel Data.

    `max_bytes`: limit for the size of a deflated dataset when inflated.
    """
    if syntax.is_deflated:
        data = _inflate(data[start:], max_bytes)
        start = 0
    stream = _BoundedStream(data)
    stream.seek(start)

    wanted = set(tags)
    pixel_data: PixelData | None = None

    def stop(tag: BaseTag, vr: str | None, length: int) -> bool:
        """Stop at Pixel Data and note its position. pydicom calls this before each value."""
        nonlocal pixel_data
        if tag == _PIXEL_DATA:
            value = stream.tell()
            end = len(data) if length == _UNDEFINED else value + length
            pixel_data = PixelData(data, value, end, vr)
        elif tag in wanted and _MAX_VALUE_BYTES < length < _UNDEFINED:
            raise ValueError("value too long")
        return pixel_data is not None

    dataset = read_dataset(
        stream,
        syntax.is_implicit_VR,
        syntax.is_little_endian,
        stop_when=stop,
        specific_tags=list(wanted),
    )
    return dataset, pixel_data


def _inflate(data: bytes, max_bytes: int) -> bytes:
    """Inflate a dataset, which has no zlib header (PS3.5 A.5)."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = inflater.decompress(data, max_bytes)

    if inflater.unconsumed_tail:
        raise Undecodable(
            f"The deflated DICOM file is larger than {max_bytes} bytes when inflated."
        )
    if not inflater.eof:
        raise ValueError("deflated data end early")
    return inflated


def text(dataset: Dataset, keyword: str) -> str | None:
    """Return an element's value in capitals, or None if it is missing or empty."""
    return str(dataset.get(keyword) or "").strip().upper() or None


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Return an element's values in capitals."""
    value = dataset.get(keyword)
    values = value if isinstance(value, list | MultiValue) else [value or ""]
    return tuple(str(item).strip().upper() for item in values)


def flag(dataset: Dataset, keyword: str) -> bool | None:
    """Return YES as True, NO as False, and any other value as None."""
    return {"YES": True, "NO": False}.get(text(dataset, keyword) or "")


def numbers(dataset: Dataset, keyword: str) -> list[float]:
    """Return an element's values, none if it is missing or empty.

    Raises:
        ValueError: a value is not a number of reasonable size.
    """
    value: Any = dataset.get(keyword)
    if value is None or value == "":
        return []

    values = value if isinstance(value, list | MultiValue) else [value]
    converted = [float(number) for number in values]
    if not all(abs(number) <= _MAX_NUMBER for number in converted):
        raise ValueError(keyword)
    return converted


def integer(dataset: Dataset, keyword: str, default: int | None = None) -> int:
    """Return an element's only value, or the default if it is missing or empty.

    Raises:
        ValueError: there are several values, or neither a value nor a default.
    """
    values = numbers(dataset, keyword)
    if not values and default is not None:
        return default
    (number,) = values
    return int(number)


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a sequence, none if it is missing."""
    return list(dataset.get(keyword) or [])
