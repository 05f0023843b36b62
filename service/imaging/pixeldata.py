"""From DICOM pixel data to the bit pattern of every pixel, to be looked up in a display table."""

import struct
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from pydicom.encaps import generate_fragments

from service.errors import CorruptImage, UnsupportedImage
from service.imaging.foreign import damage_reported

Patterns = NDArray[np.unsignedinteger[Any]]

_DAMAGED = "The pixel data of the DICOM file are truncated or damaged."

# Every JPEG 2000 codestream begins with these markers (ISO/IEC 15444-1 A.4); some files have a JP2 header before them.
_START_AND_SIZE = b"\xff\x4f\xff\x51"
# Of the size marker: right, bottom, left and top of the image area; the number of components; the depth of the first.
_SIZE = struct.Struct(">4x4I16xHB")


def read_native(data: bytes, shape: tuple[int, int], word: np.dtype[Any]) -> Patterns:
    """The patterns in uncompressed pixel data; bytes after the last row are padding."""
    rows, columns = shape
    if len(data) < rows * columns * word.itemsize:
        raise CorruptImage(_DAMAGED)
    return np.frombuffer(data, word, rows * columns).reshape(shape)


def read_jpeg2000(data: bytes, shape: tuple[int, int], bits_allocated: int) -> Patterns:
    """The patterns in encapsulated JPEG 2000, lossless or lossy; checked against `shape` before they are decoded."""
    with damage_reported(_DAMAGED):
        _offset_table, *fragments = generate_fragments(data)
        stream = b"".join(fragments)
        stream = stream[stream.index(_START_AND_SIZE) :]
        right, bottom, left, top, components, depth = _SIZE.unpack_from(stream, len(_START_AND_SIZE))
    signed, bits = depth >> 7, (depth & 0x7F) + 1
    if components != 1:
        raise UnsupportedImage("The image is in colour; a mammogram is greyscale.")
    if (bottom - top, right - left) != shape or bits > bits_allocated:
        raise CorruptImage(
            "The DICOM file contradicts itself: its JPEG 2000 image is of another size or depth than it says."
        )
    with damage_reported(_DAMAGED):
        unsigned = np.asarray(Jpeg2KImageFile(BytesIO(stream)))
    # Pillow shifts signed values into the unsigned range and all of them to the top of 8 or 16 bits.
    unscaled = (unsigned >> (8 * unsigned.itemsize - bits)).astype(np.uint16)
    patterns: Patterns = unscaled - np.uint16(signed << (bits - 1))
    return patterns
