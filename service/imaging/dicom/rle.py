"""Decode RLE (DICOM PS3.5 annex G) into exactly the length that the header declares."""

import struct
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from service.errors import CorruptImage
from service.imaging.library_errors import as_corrupt_image

_HEADER = struct.Struct("<16I")  # number of segments, then their offsets
_MAX_RUN = 128
_PADDING = b"\x00\xff"
_MAX_LIKE_PADDING = 2  # last bytes of a segment. Longer repeats are runs.
# Continuations of a segment whose last run is incomplete. The second is a code without output.
_TAILS = (b"\x00" * _MAX_RUN, b"\x80" * _MAX_RUN)


def decode_rle(
    data: bytes, shape: tuple[int, int], word: np.dtype[Any], damage: str
) -> NDArray[Any]:
    """Return words of that shape. The data have one segment for each byte of a word.

    Raises:
        CorruptImage: a segment is too short, much too long, or damaged, with `damage` as message.
    """
    rows, columns = shape
    length = rows * columns * word.itemsize
    try:
        with as_corrupt_image(damage):
            decoded = imagecodecs.dicomrle_decode(data, word, out=length)
    except CorruptImage:
        return _decode_padded(data, shape, word, damage)

    if len(decoded) != length:
        raise CorruptImage(damage)
    return np.frombuffer(decoded, word).reshape(shape)


def _decode_padded(
    data: bytes, shape: tuple[int, int], word: np.dtype[Any], damage: str
) -> NDArray[Any]:
    """Decode segments that hold more than their pixels: padding, or a longer run."""
    rows, columns = shape
    with as_corrupt_image(damage):
        _, *offsets = _HEADER.unpack_from(data)
        starts = offsets[: word.itemsize]
        ends = [*starts[1:], len(data)]
        planes = [
            _decode_segment(data[start:end], rows * columns, min(shape))
            for start, end in zip(starts, ends, strict=True)
        ]

    # The most significant byte comes first.
    little_endian = np.stack(planes[::-1], axis=1)
    return little_endian.view(word).reshape(shape)


def _decode_segment(segment: bytes, count: int, excess: int) -> NDArray[np.uint8]:
    """Return the first bytes of the segment, which holds less than that excess more.

    An image of another size than the header's has at least a row or a column more or less.
    Padding may be taken for a run that is incomplete. Where the bytes do not depend on its
    completion, none of them is missing.

    Raises:
        ValueError: the segment has fewer bytes, or many more.
    """
    padded = segment[: len(segment.rstrip(_PADDING)) + _MAX_LIKE_PADDING]
    room = count + excess + _MAX_RUN
    first, second = (
        np.frombuffer(imagecodecs.packbits_decode(padded + tail, out=room), np.uint8)
        for tail in _TAILS
    )
    if not count <= second.size < count + excess:
        raise ValueError("segment of another length")
    if not np.array_equal(first[:count], second[:count]):
        raise ValueError("segment too short")
    return first[:count]
