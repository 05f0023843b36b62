"""Join the fragments of a compressed frame (DICOM PS3.5 A.4)."""

import struct

from service.errors import CorruptImage
from service.imaging.dicom.dataset_file import PixelData

_ITEM = b"\xfe\xff\x00\xe0"
_LENGTH = struct.Struct("<4xI")  # after the tag
_UNDEFINED = 0xFFFFFFFF

# First bytes of JPEG, JPEG 2000 and JP2, and of RLE after the number of its segments (PS3.5 G.5).
_CODESTREAMS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  ")
_RLE_HEADER = 64
_RLE_START = _RLE_HEADER.to_bytes(4, "little")


def is_encapsulated(value: PixelData) -> bool:
    """Return whether the value begins with an item."""
    return value.dataset.startswith(_ITEM, value.start)


def join_fragments(value: PixelData, damage: str) -> bytes:
    """Return the compressed frame.

    It may be split anywhere. As there is one frame, its offset is not needed, and the table of
    offsets may be wrong or missing. So may the item that ends the sequence.

    Raises:
        CorruptImage: there is no item, with `damage` as its message.
    """
    data = value.dataset
    stop = min(value.stop, len(data))
    position = value.start
    items: list[tuple[int, int]] = []

    while position + _LENGTH.size <= stop and data.startswith(_ITEM, position):
        (length,) = _LENGTH.unpack_from(data, position)
        if length == _UNDEFINED:
            raise CorruptImage(damage)
        position += _LENGTH.size
        items.append((position, min(position + length, stop)))
        position += length

    if not items:
        raise CorruptImage(damage)
    if not _is_image(data[items[0][0] : items[0][1]][:_RLE_HEADER]):
        del items[0]
    return b"".join(memoryview(data)[start:end] for start, end in items)


def _is_image(first: bytes) -> bool:
    """Return whether the first item holds a compressed image instead of the table of offsets."""
    return first.startswith(_CODESTREAMS) or (
        len(first) == _RLE_HEADER and first[4:8] == _RLE_START
    )
