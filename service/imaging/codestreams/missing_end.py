"""Add an end marker that is missing, if no data that the decoder needs are missing with it.

Some writers omit the end marker, or write padding in its place. A truncated image has no end
marker, either, and decoders fill it with grey. Both are told apart by decoding the data with
different continuations: pixels that do not depend on the continuation are complete.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.errors import CorruptImage
from service.imaging.library_errors import as_corrupt_image

Decode = Callable[[bytes], NDArray[Any]]

# Bytes 129..254: they form no marker, and no decoder takes them for values of zero.
NOISE = bytes(37 * number * number % 126 + 129 for number in range(1, 65))
_PADDING = b"\x00\xff"
# JPEG puts a zero behind each FF of the data.
_ESCAPED = b"\xff\x00"


def ends_in_padding(data: bytes, stop: int) -> bool:
    """Return whether the two bytes before that offset look like padding, in place of data."""
    return not data[stop - 2 : stop].strip(_PADDING)


def add_end(data: bytes, decode: Decode, tails: Sequence[bytes]) -> bytes:
    """Return the data without padding, continued by the first of the tails, the end marker.

    Raises:
        ValueError: data are missing.
    """
    body = data.rstrip(_PADDING)
    bodies = [body]
    if data.startswith(_ESCAPED, len(body)):
        bodies.append(body + _ESCAPED)

    for whole in bodies:
        if _is_whole(whole, decode, tails):
            return whole + tails[0]
    raise ValueError("no end of image")


def _is_whole(body: bytes, decode: Decode, tails: Sequence[bytes]) -> bool:
    """Return whether the body decodes to the same pixels whatever follows."""
    try:
        with as_corrupt_image("truncated"):
            expected = decode(body + tails[0])
            return all(np.array_equal(decode(body + tail), expected) for tail in tails[1:])
    except CorruptImage:
        return False
