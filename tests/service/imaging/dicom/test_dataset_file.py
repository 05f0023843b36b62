"""Elements that deviate from the standard as those of known writers do: they hide no others."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from service.errors import CorruptImage, UnsupportedFormat
from service.imaging import decode
from service.records import Pixels

WriteDicom = Callable[..., bytes]

ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
ITEM_END = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def short(vr: bytes, value: bytes, number: int = 0x1010) -> bytes:
    """A private element with a length of 2 bytes."""
    return struct.pack("<HH2sH", 0x0009, number, vr, len(value)) + value


def long(vr: bytes, value: bytes, length: int | None = None, reserved: int = 0) -> bytes:
    """A private element with 2 reserved bytes and a length of 4 bytes."""
    size = len(value) if length is None else length
    return struct.pack("<HH2sHI", 0x0009, 0x1010, vr, reserved, size) + value


def implicit(value: bytes, length: int | None = None) -> bytes:
    """A private element without VR."""
    size = len(value) if length is None else length
    return struct.pack("<HHI", 0x0009, 0x1010, size) + value


def open_sequence(vr: bytes, content: bytes) -> bytes:
    return long(vr, ITEM + content + ITEM_END + SEQUENCE_END, 0xFFFFFFFF)


ODD = {
    "question marks": short(b"??", b"ABCD"),
    "two of question marks": short(b"??", b"ABCD") + short(b"??", b"EF", 0x1011),
    "unknown capitals": short(b"ZZ", b"ABCD"),
    "no VR": implicit(b"ABCD"),
    "no VR, empty": implicit(b""),
    "odd length": short(b"LO", b"ABC"),
    "stray delimiter": SEQUENCE_END + short(b"LO", b"ABCD") + SEQUENCE_END,
    "open sequence": open_sequence(b"SQ", short(b"LO", b"ABCD")),
    "open sequence with question marks": open_sequence(b"SQ", short(b"??", b"ABCD")),
    "open sequence without VRs": open_sequence(b"SQ", implicit(b"ABCD")),
    "open sequence of unknown VR": open_sequence(b"UN", implicit(b"ABCD")),
    "open sequence in an open sequence": open_sequence(
        b"SQ", open_sequence(b"UN", implicit(b"A" * 8) + implicit(SEQUENCE_END))
    ),
    "open value": long(b"OB", b"ABCD" * 3 + SEQUENCE_END, 0xFFFFFFFF),
    "open sequence without VR": implicit(ITEM + ITEM_END + SEQUENCE_END, 0xFFFFFFFF),
    "unknown character sets": struct.pack("<HH2sH", 8, 5, b"CS", 9) + b"\\ISO 9\\\x01\xff",
    "character set of numbers": struct.pack("<HH2sH", 8, 5, b"US", 3) + b"ABC",
    "group length": struct.pack("<HH2sHI", 0x0009, 0x0000, b"UL", 4, 12345),
}


@pytest.fixture(scope="module")
def small(breast: Pixels) -> Pixels:
    return np.ascontiguousarray(breast[::6, ::6])


@pytest.mark.parametrize("odd", ODD)
def test_odd_element_hides_no_others(write_dicom: WriteDicom, small: Pixels, odd: str) -> None:
    data = write_dicom(small, BitsStored=12, ImageLaterality="L")
    start = data.index(b"\x10\x00\x10\x00PN")

    mammogram = decode(data[:start] + ODD[odd] + data[start:])

    assert np.array_equal(mammogram.pixels, decode(data).pixels)
    assert mammogram.facts.laterality == "L"


@pytest.mark.parametrize("written", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("stated", [ExplicitVRBigEndian, ImplicitVRLittleEndian])
def test_first_element_overrules_transfer_syntax(
    write_dicom: WriteDicom, small: Pixels, written: UID, stated: UID
) -> None:
    data = write_dicom(small, written, BitsStored=12)
    meta_end = data.index(b"\x08\x00\x16\x00")
    other = write_dicom(small, stated, BitsStored=12)
    other_meta = other[
        : other.index(b"\x08\x00\x16\x00" if stated.is_little_endian else b"\0\x08\0\x16")
    ]

    mammogram = decode(other_meta + data[meta_end:])

    assert np.array_equal(mammogram.pixels, decode(data).pixels)
    assert mammogram.facts.transfer_syntax == written.name


def test_bare_big_endian_dataset_is_read(write_dicom: WriteDicom, small: Pixels) -> None:
    bare = write_dicom(small, ExplicitVRBigEndian, preamble=False, BitsStored=12)

    mammogram = decode(bare)

    assert np.array_equal(mammogram.pixels, decode(write_dicom(small, BitsStored=12)).pixels)
    assert mammogram.facts.transfer_syntax == "Explicit VR Big Endian"


def test_damaged_file_meta_hides_no_image(write_dicom: WriteDicom, small: Pixels) -> None:
    """The dataset then begins with an element of the file meta information, of another group."""
    data = write_dicom(small, BitsStored=12)

    mammogram = decode(data.replace(b"\x02\x00\x13\x00SH", b"\x02\x5c\x13\x00SH"))

    assert np.array_equal(mammogram.pixels, decode(data).pixels)
    assert mammogram.facts.transfer_syntax == "Explicit VR Little Endian"


def test_fragments_in_uncompressed_file_are_a_contradiction(
    write_dicom: WriteDicom, small: Pixels
) -> None:
    data = write_dicom(small, BitsStored=12)
    start = data.index(b"\xe0\x7f\x10\x00OW")

    with pytest.raises(CorruptImage, match="compressed"):
        decode(data[: start + 8] + b"\xff" * 4 + ITEM[:4] + data[start + 8 :])


@pytest.mark.parametrize("data", [b"", bytes(7), bytes(8), b"\x08\x00\x16\x00UI", b"\xff" * 64])
def test_bytes_without_elements_are_no_dataset(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat):
        decode(data or b"\0")
