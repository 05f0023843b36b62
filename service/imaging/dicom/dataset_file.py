"""Read the raw elements of DICOM files with pydicom, within bounds on their number and size.

Values stay as bytes. Malformed files raise the exceptions of pydicom and Python; see
`service.imaging.library_errors`.
"""

import re
import struct
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from io import BytesIO

from pydicom import config
from pydicom.charset import default_encoding
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import data_element_generator, read_preamble, read_sequence
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from service.errors import Undecodable
from service.imaging.dicom.values import RawElement, byte_order, read_texts

RawElements = Mapping[BaseTag, RawElement]
"""Elements by tag."""

HIDDEN_CHARACTER_SET = Tag(0x00080004)
"""The tag under which Specific Character Set is read. The standard has no such element."""

_FILE_META = 0x0002
_PIXEL_DATA = Tag("PixelData")
_UNCOMPRESSED = {ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian}
_UNDEFINED = 0xFFFFFFFF
# An element or item takes one to three reads. The fullest headers have some thousand elements.
_MAX_READS = 100_000
# The sequences that are read have a few items.
_MAX_READS_OF_ITEMS = 10_000
# Tags and VRs, to those that pydicom is given instead. DCMTK once wrote ?? with 2 bytes of length.
# pydicom would read it as a length of 4 bytes, which would be odd. Specific Character Set is
# hidden under another tag: no text that is read depends on it, and pydicom decodes it without
# bounds.
_INSTEAD = {
    b"??": b"LO",
    b"\x08\x00\x05\x00": b"\x08\x00\x04\x00",
    b"\x00\x08\x00\x05": b"\x00\x08\x00\x04",
}
# Sizes in which heads of elements, and VRs, are read.
_HEAD_BYTES = (2, 8)
# Max bytes of a value that is read: several lookup tables of 2 ** 16 entries fit.
_MAX_VALUE_BYTES = 2**21


class _BoundedStream(BytesIO):
    """A BytesIO that raises after `max_reads` reads, however deep or long its sequences are.

    pydicom reads the head of an element in 8 bytes, and the VR of a first element alone.
    """

    def __init__(self, data: bytes, max_reads: int = _MAX_READS) -> None:
        super().__init__(data)
        self._reads_left = max_reads

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes, with tags and VRs replaced. Raises ValueError after many calls."""
        self._reads_left -= 1
        if self._reads_left < 0:
            raise ValueError("too many elements")

        data = super().read(size)
        match size:
            case 8:
                tag, vr = data[:4], data[4:6]
                return _INSTEAD.get(tag, tag) + _INSTEAD.get(vr, vr) + data[6:]
            case 2:
                return _INSTEAD.get(data, data)
        return data


@dataclass(frozen=True, slots=True)
class FileMeta:
    """Facts before a dataset: its transfer syntax, its class if stated, and its offset."""

    syntax: UID
    media_class: str | None
    start: int


@dataclass(frozen=True, slots=True)
class PixelData:
    """Position of the value of Pixel Data: `start` to `stop` of `dataset`. It is not copied.

    `encapsulated`: it is of undefined length, and so consists of fragments.
    """

    dataset: bytes
    start: int
    stop: int
    vr: str | None
    encapsulated: bool = False


def read_file_meta(data: bytes) -> FileMeta:
    """Read the file meta information, if there is any.

    The first element of the dataset overrules an uncompressed transfer syntax, and a missing one.
    """
    stream = _BoundedStream(data)
    read_preamble(stream, force=True)
    generator = data_element_generator(
        stream,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, _vr, _length: tag.group != _FILE_META,
    )
    meta = {element.tag: element for element in generator}
    start = stream.tell()

    syntax = _actual_syntax(data[start : start + 8])
    stated = _uid(meta, "TransferSyntaxUID")
    if stated and stated not in _UNCOMPRESSED:
        syntax = UID(stated, config.IGNORE)
    return FileMeta(syntax, _uid(meta, "MediaStorageSOPClassUID"), start)


def _uid(meta: RawElements, keyword: str) -> str | None:
    element = meta.get(Tag(keyword))
    return next(iter(read_texts(element) or ()), None) if element else None


def _actual_syntax(head: bytes) -> UID:
    """Return the transfer syntax of an uncompressed dataset, by its first tag and VR."""
    if not _has_vr(head):
        return ImplicitVRLittleEndian

    # A dataset begins with a group below 0x0100.
    is_big_endian = head[0] == 0 < head[1]
    return ExplicitVRBigEndian if is_big_endian else ExplicitVRLittleEndian


def _has_vr(head: bytes) -> bool:
    return re.fullmatch(rb"[A-Z]{2}", head[4:6]) is not None


def read_dataset(
    data: bytes, syntax: UID, start: int, tags: Collection[int], max_bytes: int
) -> tuple[RawElements, PixelData | None]:
    """Read the elements with these tags up to Pixel Data, and the position of Pixel Data.

    `max_bytes`: limit for the size of a deflated dataset when inflated.
    """
    if syntax.is_deflated:
        data = _inflate(data[start:], max_bytes)
        start = 0
    stream = _BoundedStream(data)
    stream.seek(start)
    pixel_data: PixelData | None = None

    def stop(tag: BaseTag, vr: str | None, length: int) -> bool:
        """Stop at Pixel Data and note its position. pydicom calls this before each value."""
        nonlocal pixel_data
        if tag == _PIXEL_DATA:
            value = stream.tell()
            is_open = length == _UNDEFINED
            end = len(data) if is_open else value + length
            pixel_data = PixelData(data, value, end, vr, encapsulated=is_open)
        return pixel_data is not None

    generator = data_element_generator(
        stream,
        is_implicit_VR=not _has_vr(data[start : start + 8]),
        is_little_endian=syntax.is_little_endian,
        stop_when=stop,
        defer_size=_MAX_VALUE_BYTES,
        specific_tags=list(tags),
    )
    return {element.tag: _as_stored(element, data) for element in generator}, pixel_data


def _as_stored(element: RawElement, stored: bytes) -> RawElement:
    """Return the element with the value in the file: the stream takes some values for heads.

    `stored`: the bytes in which positions count. Items of a sequence are changed in place.
    """
    if not isinstance(element, RawDataElement):
        for item in element.value:
            _restore(item, stored)
        return element

    if element.value is None or element.length not in _HEAD_BYTES:
        return element
    start = element.value_tell
    value = stored[start : start + element.length]
    return element if value == element.value else element._replace(value=value)


def _restore(item: Dataset, stored: bytes) -> None:
    """Give the elements of an item, but private ones, the values in the file."""
    for tag, element in item.items():
        exact = _as_stored(element, stored)
        if exact is not element and not tag.is_private:
            item[tag] = exact


def read_items(sequence: RawElement) -> list[RawElements]:
    """Read the items of a sequence.

    Raises:
        ValueError: the value does not begin with an item.
    """
    items: Sequence = (
        _read_closed_sequence(sequence) if isinstance(sequence, RawDataElement) else sequence.value
    )
    return [dict(item.items()) for item in items]


def _read_closed_sequence(sequence: RawDataElement) -> Sequence:
    """Read the items of a sequence of defined length."""
    value = sequence.value or b""
    order = byte_order(sequence)
    if value[:4] != struct.pack(f"{order}HH", 0xFFFE, 0xE000):
        raise ValueError("no item")

    stream = _BoundedStream(value, _MAX_READS_OF_ITEMS)
    items = read_sequence(
        stream, sequence.is_implicit_VR, order == "<", len(value), default_encoding
    )
    for item in items:
        _restore(item, value)
    return items


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
