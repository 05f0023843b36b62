"""Boundary to pydicom and Pillow.

Both raise many kinds of exception on damaged files, and quote the files in their warnings and logs.
"""

import logging
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from pydicom.errors import BytesLengthException, InvalidDicomError

from service.errors import CorruptImage

MALFORMED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    BytesLengthException,
    InvalidDicomError,
    struct.error,
    zlib.error,
)
"""Exceptions that both raise on malformed files.

RuntimeError includes RecursionError and NotImplementedError.
"""

# Both log values from the file, which may name a patient.
for _library in ("pydicom", "PIL"):
    logging.getLogger(_library).addHandler(logging.NullHandler())
    logging.getLogger(_library).propagate = False

# Warning filters belong to the process, not to a thread.
_filter_lock = threading.Lock()


@contextmanager
def silence_warnings() -> Iterator[None]:
    """Drop all warnings inside the block.

    Only one thread may be inside at a time. Use it for headers, not for pixels.
    """
    with _filter_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def as_corrupt_image(message: str) -> Iterator[None]:
    """Turn the exceptions that libraries raise on malformed files into CorruptImage(message)."""
    try:
        yield
    except MALFORMED as error:
        raise CorruptImage(message) from error
