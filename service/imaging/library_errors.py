"""The edge to pydicom and Pillow, which raise many kinds of exception over damaged files, and warn by quoting them."""

import logging
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from pydicom.errors import BytesLengthException, InvalidDicomError

from service.errors import CorruptImage

# What both raise on bytes that are not what they seem. RuntimeError includes RecursionError and NotImplementedError.
_MALFORMED = (
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

# Both log what they read, and that may name a patient.
for _library in ("pydicom", "PIL"):
    logging.getLogger(_library).addHandler(logging.NullHandler())
    logging.getLogger(_library).propagate = False

# Warning filters belong to the process, not to a thread.
_filters_exchanged = threading.Lock()


@contextmanager
def silence_warnings() -> Iterator[None]:
    """A stretch of foreign code whose warnings are dropped; one thread at a time, so for headers, not for pixels."""
    with _filters_exchanged, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def as_corrupt_image(message: str) -> Iterator[None]:
    """A stretch of foreign code; what it raises over a malformed file becomes CorruptImage with that message."""
    try:
        yield
    except _MALFORMED as error:
        raise CorruptImage(message) from error
