"""Values of raw elements as they are written anew. One that does not follow its VR is refused."""

import re

import numpy as np
from pydicom import config
from pydicom.charset import python_encoding
from pydicom.valuerep import VR, format_number_as_ds, validate_value

from service.imaging.dicom.values import RawElement, byte_order, read_value

_MAX_VALUE_BYTES = 0xFFFE  # the most that every VR can have, and an even number
_MAX_DS = 16
_MAX_CHARACTER_SETS = 8

# Bytes of a number, by VR.
_SIZES = {
    VR.US: 2, VR.SS: 2, VR.AT: 2, VR.UL: 4, VR.SL: 4, VR.FL: 4, VR.FD: 8, VR.SV: 8, VR.UV: 8,
}  # fmt: skip
# VRs in the character set of the file, whose bytes are never changed.
_FREE_TEXTS = {VR.SH, VR.LO, VR.ST, VR.LT, VR.UC, VR.UT, VR.PN}
_TERMS = {VR.AE, VR.AS, VR.CS, VR.DA, VR.DS, VR.DT, VR.IS, VR.TM, VR.UI, VR.UR}
_TEXTS = _FREE_TEXTS | _TERMS


def stored_value(element: RawElement) -> bytes:
    """Return the bytes of a value.

    Raises:
        ValueError: they are not all there, or it is a sequence.
    """
    value = read_value(element)
    if value is None:
        raise ValueError("no value")
    return value


def simple_value(vr: VR, element: RawElement) -> bytes:
    """Return a value that is no sequence, in little endian and of even length.

    Raises:
        ValueError, LookupError: it is too long, or does not follow its VR.
    """
    value = stored_value(element)
    if len(value) > _MAX_VALUE_BYTES:
        raise ValueError("too long")

    # A text may have been written with the VR of another text, but numbers are of one VR.
    stored = element.VR if element.VR not in {None, "UN"} else vr
    if vr in _TEXTS:
        if stored not in _TEXTS:
            raise ValueError("text with the VR of a number")
        text = value if vr in _FREE_TEXTS else _term(vr, value)
        return text + (b"\0" if vr == VR.UI else b" ") * (len(text) % 2)

    if stored != vr:
        raise ValueError("number with another VR")
    size = _SIZES[vr]
    return np.frombuffer(value, f"{byte_order(element)}u{size}").astype(f"<u{size}").tobytes()


def _term(vr: VR, value: bytes) -> bytes:
    """Return a value of one of the VRs with a grammar, without needless blanks.

    Raises:
        ValueError: it does not follow the grammar.
    """
    written = value.decode("ascii").strip(" \0")
    parts = [part.strip(" \0") for part in written.split("\\")]
    if vr == VR.DS:
        parts = [_short_decimal(part) for part in parts]
    for part in parts:
        validate_value(vr, part, config.RAISE)
    return "\\".join(parts).encode("ascii")


def _short_decimal(part: str) -> str:
    """Return a number of more than 16 characters with as many digits as fit."""
    return part if len(part) <= _MAX_DS else format_number_as_ds(float(part))


def character_set_value(value: bytes) -> bytes:
    """Return the terms of Specific Character Set, in the standard's spelling.

    Raises:
        ValueError: there is an unknown term, or there are too many.
    """
    written = _term(VR.LO, value).split(b"\\")
    if len(written) > _MAX_CHARACTER_SETS:
        raise ValueError("too many character sets")

    terms = [_standard_spelling(part.decode("ascii")) for part in written]
    if not python_encoding.keys() >= set(terms):
        raise ValueError("unknown character set")
    joined = "\\".join(terms)
    return (joined + " " * (len(joined) % 2)).encode("ascii")


def _standard_spelling(term: str) -> str:
    """Return a term with the blanks and underscores of the standard (PS3.3 C.12.1.1.2)."""
    term = re.sub("^ISO[ _-]IR[ _-]", "ISO_IR ", term)
    return re.sub("^ISO[ _-]2022[ _-]IR[ _-]", "ISO 2022 IR ", term)


def plain_text(element: RawElement) -> str:
    """Return a text without the blanks around it, byte by byte.

    Raises:
        ValueError: it is not all there, or too long.
    """
    return stored_value(element).decode("latin-1").strip(" \0")
