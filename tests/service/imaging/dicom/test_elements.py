"""Headers of any content are read or refused within a short time."""

import struct
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from service.errors import ImageError
from service.imaging import decode
from service.records import Pixels
from tests.support.dicom_files import with_raw

WriteDicom = Callable[..., bytes]

EMPTY_ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
OPEN_ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)


def element(group: int, number: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    """An element in Explicit VR Little Endian."""
    size = len(value) if length is None else length
    if vr in {b"SQ", b"OB", b"UN"}:
        return struct.pack("<HH2s2xI", group, number, vr, size) + value
    return struct.pack("<HH2sH", group, number, vr, size) + value


# VOI LUT Sequence, which is read.
OPEN_SEQUENCE = element(0x0028, 0x3010, b"SQ", b"", 0xFFFFFFFF)
BOMBS = {
    "elements": element(0x0009, 0x0010, b"LO", b"") * 400_000,
    "items of a sequence": OPEN_SEQUENCE + EMPTY_ITEM * 400_000,
    "items of a sequence of known length": element(0x0028, 0x3010, b"SQ", EMPTY_ITEM * 400_000),
    "items of a sequence that is not read": element(
        0x0009, 0x1010, b"SQ", EMPTY_ITEM * 400_000, 0xFFFFFFFF
    ),
    "nested sequences": (OPEN_SEQUENCE + OPEN_ITEM) * 200_000,
    "character sets": element(0x0008, 0x0005, b"UN", b"ISO_IR 9\\" * 2_000_000),
    "numbers in a value": element(0x0028, 0x1050, b"UN", b"1\\" * 2_000_000),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_endless_header_is_refused_quickly(
    write_dicom: WriteDicom, breast: Pixels, bomb: str
) -> None:
    data = write_dicom(breast, BitsStored=12)
    start = data.index(b"\x28\x00\x02\x00US")

    start_time = time.process_time()

    with pytest.raises(ImageError):
        decode(data[:start] + BOMBS[bomb])
    assert time.process_time() - start_time < 10


@pytest.mark.parametrize("items", [200_000, 300_000])
def test_endless_sequences_are_skipped_quickly(
    write_dicom: WriteDicom, breast: Pixels, items: int
) -> None:
    data = write_dicom(breast, BitsStored=12)
    for keyword in ("ViewCodeSequence", "AnatomicRegionSequence", "VOILUTSequence"):
        data = with_raw(data, keyword, EMPTY_ITEM * items)

    start_time = time.process_time()
    warnings = decode(data).warnings

    assert warnings[0].message.endswith(
        ": Anatomic Region Sequence, VOI LUT Sequence, View Code Sequence."
    )
    assert time.process_time() - start_time < 5


@pytest.mark.parametrize(
    "syntax",
    [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian],
    ids=lambda syntax: syntax.keyword,
)
def test_large_header_is_read(write_dicom: WriteDicom, breast: Pixels, syntax: object) -> None:
    private = {f"OverlayData{number}": None for number in range(3)}  # not a keyword of the standard
    data = write_dicom(breast, syntax, BitsStored=12, ImageComments="x" * 10_000, **private)

    assert decode(data).pixels.shape == breast.shape


def test_files_cannot_refer_to_other_files(write_dicom: WriteDicom, tmp_path: Path) -> None:
    other = f"file://{tmp_path}/other"
    data = write_dicom(
        np.zeros((4, 4), np.uint16),
        PixelData=None,
        PixelDataProviderURL=other,
        ReferencedFileID=["A", "B"],
    )

    with pytest.raises(ImageError):
        decode(data)
