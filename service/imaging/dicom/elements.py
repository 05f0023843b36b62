"""DICOM elements, read within bounds: no more of a header is looked at than a header needs.

A value of the wrong kind raises whatever it does in pydicom or Python; the caller stands at the edge.
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
_MAX_PIECES = (
    200_000  # an element is read in one to three; the fullest headers have some thousand elements
)
_MAX_VALUE = 2**21  # of what is asked for: several lookup tables of 2 ** 16 entries
_UNDEFINED = 0xFFFFFFFF
_MAX_NUMBER = (
    1e12  # a number beyond it is damage, and leaves float64 too few digits for grey values
)


class _Bounded(BytesIO):
    """A file of which so many pieces may be read and no more, however deep or long its sequences are."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._left = _MAX_PIECES

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes; ValueError where there were too many calls."""
        self._left -= 1
        if self._left < 0:
            raise ValueError("too many elements")
        return super().read(size)


def open_file(data: bytes) -> tuple[UID, int]:
    """The transfer syntax, guessed where the file does not say, and where the dataset begins."""
    stream = _Bounded(data)
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
    explicit = re.fullmatch(rb"[A-Z]{2}", data[start + 4 : start + 6])
    return ExplicitVRLittleEndian if explicit else ImplicitVRLittleEndian, start


@dataclass(frozen=True, slots=True)
class PixelData:
    """Where the value of Pixel Data lies, from `start` to `stop` of `dataset`; it is large and not copied."""

    dataset: bytes
    start: int
    stop: int
    vr: str | None


def read_elements(
    data: bytes, syntax: UID, start: int, tags: Iterable[BaseTag], most_bytes: int
) -> tuple[Dataset, PixelData | None]:
    """Those elements of the dataset before Pixel Data, and that; a deflated dataset is inflated to so many bytes."""
    if syntax.is_deflated:
        data, start = _inflate(data[start:], most_bytes), 0
    stream = _Bounded(data)
    stream.seek(start)
    wanted, found = set(tags), list[PixelData]()

    def stop(tag: BaseTag, vr: str | None, length: int) -> bool:
        if tag == _PIXEL_DATA:
            value = stream.tell()
            found.append(
                PixelData(data, value, len(data) if length == _UNDEFINED else value + length, vr)
            )
        elif tag in wanted and _MAX_VALUE < length < _UNDEFINED:
            raise ValueError("too long a value")
        return bool(found)

    dataset = read_dataset(
        stream,
        syntax.is_implicit_VR,
        syntax.is_little_endian,
        stop_when=stop,
        specific_tags=list(wanted),
    )
    return dataset, next(iter(found), None)


def _inflate(data: bytes, most_bytes: int) -> bytes:
    """PS3.5 A.5: without zlib's header."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = inflater.decompress(data, most_bytes)
    if inflater.unconsumed_tail:
        raise Undecodable(
            f"The deflated DICOM file is larger than {most_bytes} bytes when inflated."
        )
    if not inflater.eof:
        raise ValueError("cut off")
    return inflated


def text(dataset: Dataset, keyword: str) -> str | None:
    """An element's value in capitals; None where it is absent or empty."""
    return str(dataset.get(keyword) or "").strip().upper() or None


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """An element's values in capitals."""
    value = dataset.get(keyword)
    values = value if isinstance(value, list | MultiValue) else [value or ""]
    return tuple(str(each).strip().upper() for each in values)


def flag(dataset: Dataset, keyword: str) -> bool | None:
    """YES or NO; None for anything else."""
    return {"YES": True, "NO": False}.get(text(dataset, keyword) or "")


def numbers(dataset: Dataset, keyword: str) -> list[float]:
    """An element's values; none where it is absent or empty."""
    value: Any = dataset.get(keyword)
    if value is None or value == "":
        return []
    found = [
        float(number) for number in (value if isinstance(value, list | MultiValue) else [value])
    ]
    if not all(abs(number) <= _MAX_NUMBER for number in found):
        raise ValueError(keyword)
    return found


def integer(dataset: Dataset, keyword: str, default: int | None = None) -> int:
    """An element's value, or the default where it is absent or empty; ValueError without either, or for several."""
    found = numbers(dataset, keyword)
    if not found and default is not None:
        return default
    (number,) = found
    return int(number)


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; none where it is absent."""
    return list(dataset.get(keyword) or [])
