"""Convert the bytes of DICOM values to numbers and texts (PS3.5 6.2).

A value that cannot be read becomes None. No value raises an exception.
"""

import re
import struct

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.valuerep import STANDARD_VR

RawElement = RawDataElement | DataElement
"""Element whose value is bytes, or a sequence of undefined length, whose value is its items."""

# Binary VRs of numbers: the struct format of one number.
_FORMATS = {
    "US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q", "SV": "q", "FL": "f", "FD": "d",
}  # fmt: skip
# VRs that tell the kind of a value.
_TELLING = {str(vr) for vr in STANDARD_VR} - {"UN", "OB", "OW"}
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# A larger number is damage, and leaves float64 too few digits for grey values.
_MAX_NUMBER = 1e12
# VRs in the character set of the file: not all of its bytes are printable.
_ANY_CHARACTERS = {"SH", "LO", "ST", "LT", "UC", "UT", "PN"}
_UNDEFINED = 0xFFFFFFFF
# Max bytes of a value as text or numbers, far above any that is used.
_MAX_BYTES = 2**16


def standard_vr(tag: int) -> str:
    """Return the VR of the standard. Of alternatives, such as US or SS, it is the first."""
    return dictionary_VR(tag)[:2]


def read_value(element: RawElement) -> bytes | None:
    """Return the bytes of a value, None if they are not all there, or if it is a sequence."""
    if not isinstance(element, RawDataElement):
        return None
    value = element.value or b""
    return value if element.length in {len(value), _UNDEFINED} else None


def byte_order(element: RawElement) -> str:
    """Return "<" for a little-endian value, ">" for a big-endian one.

    It is little-endian where the VR is UN (PS3.5 6.2.2).
    """
    is_big = isinstance(element, RawDataElement) and not element.is_little_endian
    return ">" if is_big and element.VR != "UN" else "<"


def read_numbers(element: RawElement) -> list[float | None]:
    """Return the numbers of a value, None for each that cannot be read. Blanks have none.

    The VR in the file counts. If it does not fit the value, the VR of the standard counts.
    """
    value = read_value(element)
    if value is None:
        return [None]
    if not value:
        return []

    standard = standard_vr(element.tag)
    vrs = [vr for vr in (element.VR, standard) if vr in _TELLING]
    readings = [_read(vr, value, byte_order(element)) for vr in dict.fromkeys(vrs)]
    complete = (reading for reading in readings if None not in reading)
    return next(complete, readings[0] if readings else [None])


def _read(vr: str, value: bytes, order: str) -> list[float | None]:
    """Return the numbers of a value of this VR."""
    if len(value) > _MAX_BYTES:
        return [None]

    if number_format := _FORMATS.get(vr):
        size = struct.calcsize(number_format)
        if len(value) % size:
            return [None]
        numbers = struct.unpack(f"{order}{len(value) // size}{number_format}", value)
        return [_reasonable(float(number)) for number in numbers]

    written = _stripped(value)
    return [_decimal(part) for part in written.split("\\")] if written else []


def _decimal(written: str) -> float | None:
    """Return a number that is written as in DS and IS (PS3.5 6.2), with blanks around it."""
    stripped = written.strip(" \0")
    return _reasonable(float(stripped)) if _DECIMAL.fullmatch(stripped) else None


def _reasonable(number: float) -> float | None:
    return number if abs(number) <= _MAX_NUMBER else None


def read_texts(element: RawElement) -> tuple[str, ...] | None:
    """Return the parts of a value in capitals, none if all are blank, or None if it is no text."""
    value = read_value(element)
    if value is None or len(value) > _MAX_BYTES:
        return None

    written = _stripped(value).upper()
    if not written.isprintable() and standard_vr(element.tag) not in _ANY_CHARACTERS:
        return None
    parts = tuple(part.strip(" \0") for part in written.split("\\"))
    return parts if any(parts) else ()


def _stripped(value: bytes) -> str:
    """Return the value without the bytes that pad it."""
    return value.decode("latin-1").strip(" \0\t\r\n")
