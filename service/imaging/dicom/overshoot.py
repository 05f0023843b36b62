"""Clip decoded values that lossy compression moved beyond the range of the stored values.

A lossy codestream may exceed the range at bright edges. If the codestream is deeper than the stored
values, then such a value would lose its upper bits and come back as black.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.imaging.codestreams.codestream import Codestream
from service.imaging.dicom.greyscale import Storage

Patterns = NDArray[np.unsignedinteger[Any]]
"""Bit patterns of pixels."""


def clip_overshoot(patterns: Patterns, codestream: Codestream, storage: Storage) -> Patterns:
    """Return the patterns of a lossy codestream, clipped to the range of the stored values.

    Patterns are returned as they are where the meaning of their upper bits is not known: if
    codestream and header disagree on the sign, or if the sign of the values is not extended into
    the upper bits.
    """
    # Bits below the stored ones are compressed with them.
    used_bits = storage.high_bit + 1
    if codestream.bits <= used_bits:
        return patterns

    if storage.signed:
        return _clip_signed(patterns, codestream, used_bits)
    if codestream.signed:
        return patterns
    return np.minimum(patterns, patterns.dtype.type(2**used_bits - 1))


def _clip_signed(patterns: Patterns, codestream: Codestream, used_bits: int) -> Patterns:
    # Extend the sign from the depth of the codestream to the whole word.
    size = patterns.itemsize
    spare_bits = 8 * size - codestream.bits
    values = (patterns << spare_bits).view(f"i{size}") >> spare_bits

    # An unsigned codestream holds two's complement, in the depth of the values or in its own.
    is_extended = codestream.signed or values.min() < 0
    if not is_extended:
        return patterns

    highest = 2 ** (used_bits - 1) - 1
    clipped: Patterns = np.clip(values, -highest - 1, highest).view(patterns.dtype)
    return clipped
