"""Items that are split, empty, wrong or missing, against the plain file."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from pydicom.encaps import generate_fragments
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from service.errors import CorruptImage
from service.imaging import decode
from service.records import Pixels
from training.phantoms import transfer

WriteDicom = Callable[..., bytes]

SYNTAXES = [JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless]
DELIMITER = 8  # bytes of the item that ends the sequence


def keyword(syntax: UID) -> str:
    return syntax.keyword


def item(value: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(value)) + value


def codestream_of(breast: Pixels, syntax: UID) -> bytes:
    name = next(name for name, uid in transfer.SYNTAXES.items() if uid == syntax)
    _offsets, codestream = generate_fragments(transfer.encode(breast, 12, name))
    return codestream


def pieces(codestream: bytes, size: int) -> bytes:
    starts = range(0, len(codestream), size)
    return b"".join(item(codestream[start : start + size]) for start in starts)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=keyword)
def test_items_may_be_split_empty_or_wrong(
    write_dicom: WriteDicom, breast: Pixels, syntax: UID
) -> None:
    plain = decode(write_dicom(breast, BitsStored=12)).pixels
    codestream = codestream_of(breast, syntax)
    values = {
        "split": item(b"") + pieces(codestream, 1111),
        "empty first fragment": item(b"") + item(b"") + item(codestream),
        "wrong offset": item(struct.pack("<I", 999_999)) + item(codestream),
        "several offsets": item(bytes(12)) + item(codestream),
        "no table": item(codestream),
        "no table, split": pieces(codestream, 5000),
    }

    for value in values.values():
        data = write_dicom(breast, syntax, BitsStored=12, PixelData=value)
        assert np.array_equal(decode(data).pixels, plain)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=keyword)
def test_end_of_sequence_may_be_missing(
    write_dicom: WriteDicom, breast: Pixels, syntax: UID
) -> None:
    data = write_dicom(breast, syntax, BitsStored=12)
    trailing_padding = b"\xfc\xff\xfc\xffOB\x00\x00" + struct.pack("<I", 10) + bytes(10)

    for endless in (data[:-DELIMITER], data[:-DELIMITER] + trailing_padding):
        assert np.array_equal(decode(endless).pixels, decode(data).pixels)


def test_missing_fragments_are_corrupt(write_dicom: WriteDicom, breast: Pixels) -> None:
    for value in (item(b""), item(b"") + item(codestream_of(breast, JPEGLosslessSV1)[:9000])):
        with pytest.raises(CorruptImage, match="truncated or damaged"):
            decode(write_dicom(breast, JPEGLosslessSV1, BitsStored=12, PixelData=value))


def test_another_kind_of_pixel_data_is_named(write_dicom: WriteDicom, breast: Pixels) -> None:
    lossless = item(b"") + item(codestream_of(breast, JPEGLosslessSV1))

    for syntax, message in (
        (JPEGLSLossless, "names JPEG-LS, but its pixel data are JPEG"),
        (ExplicitVRLittleEndian, "contradicts itself"),
    ):
        with pytest.raises(CorruptImage, match=message):
            decode(write_dicom(breast, syntax, BitsStored=12, PixelData=lossless))
