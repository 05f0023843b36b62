"""Decode DICOM pixel data to the bit pattern of every pixel, the index of a display table.

The decoders were chosen by measurement (`docs/benchmarks.md`) and licence:

- Pillow (OpenJPEG) for JPEG 2000 and HTJ2K: it refuses damaged codestreams and decodes at reduced
  resolution.
- imagecodecs for JPEG (libjpeg-turbo: 8 and 12 bits, lossless up to 16), JPEG-LS (CharLS) and RLE.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from pydicom.encaps import generate_fragments
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from service import geometry
from service.errors import CorruptImage, UnsupportedImage
from service.geometry import IDENTITY, Affine
from service.imaging.dicom.codestream import DAMAGED, Codestream, Family, read_codestream
from service.imaging.dicom.elements import PixelData
from service.imaging.dicom.greyscale import Storage
from service.imaging.library_errors import as_corrupt_image

Patterns = NDArray[np.unsignedinteger[Any]]

NATIVE = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
)
_FAMILIES: Mapping[UID, Family] = {
    JPEGBaseline8Bit: "JPEG",
    JPEGExtended12Bit: "JPEG",
    JPEGLossless: "JPEG",
    JPEGLosslessSV1: "JPEG",
    JPEGLSLossless: "JPEG-LS",
    JPEGLSNearLossless: "JPEG-LS",
    JPEG2000Lossless: "JPEG 2000",
    JPEG2000: "JPEG 2000",
    HTJ2KLossless: "JPEG 2000",
    HTJ2KLosslessRPCL: "JPEG 2000",
    HTJ2K: "JPEG 2000",
}
SYNTAXES = (*NATIVE, RLELossless, *_FAMILIES)
"""All supported transfer syntaxes."""

_CONTRADICTION = (
    "The DICOM file contradicts itself: its header and its compressed image differ in size, depth "
    "or kind."
)


@dataclass(frozen=True, slots=True)
class Encoded:
    """The value of Pixel Data, and the attributes that are needed to decode it."""

    value: PixelData
    syntax: UID
    rows: int
    columns: int
    storage: Storage


@dataclass(frozen=True, slots=True)
class Decoded:
    """Bit patterns [rows, columns], possibly at a reduced resolution.

    `to_source`: map from their grid to the image's.
    """

    patterns: Patterns
    to_source: Affine = IDENTITY


def decode_pixels(encoded: Encoded, min_size: tuple[int, int] | None) -> Decoded:
    """Decode the pixel data.

    `min_size`: JPEG 2000 is decoded at the lowest resolution with at least these rows and columns.
    None: in full.

    Raises:
        CorruptImage: the data are damaged, or contradict the header.
        UnsupportedImage: the image is in colour.
    """
    # Uncompressed and RLE.
    if encoded.syntax in NATIVE:
        return Decoded(_read_native(encoded))
    data = _fragments(encoded.value)
    if encoded.syntax == RLELossless:
        return Decoded(_read_rle(data, encoded))

    # JPEG families: the codestream must agree with the header before it is decoded.
    codestream = read_codestream(data)
    if codestream.components != 1:
        raise UnsupportedImage("The image is in colour. A mammogram is greyscale.")
    described = codestream.family, codestream.rows, codestream.columns
    if described != (_FAMILIES[encoded.syntax], encoded.rows, encoded.columns):
        raise CorruptImage(_CONTRADICTION)
    if codestream.bits > encoded.storage.bits_allocated:
        raise CorruptImage(_CONTRADICTION)

    if codestream.family == "JPEG 2000":
        return _read_jpeg2000(codestream, encoded.storage, min_size)
    return Decoded(_read_jpeg(codestream))


def _fragments(value: PixelData) -> bytes:
    """Join the fragments of the frame (PS3.5 A.4)."""
    stream = BytesIO(value.dataset)
    stream.seek(value.start)
    with as_corrupt_image(DAMAGED):
        _offset_table, *fragments = generate_fragments(stream)
        return b"".join(fragments)


def _read_native(encoded: Encoded) -> Patterns:
    """Read uncompressed pixel data. Bytes after the last row are padding."""
    value = encoded.value
    count = encoded.rows * encoded.columns
    order = "<" if encoded.syntax.is_little_endian else ">"
    word = np.dtype(f"{order}u{encoded.storage.bits_allocated // 8}")
    if min(value.stop, len(value.dataset)) - value.start < count * word.itemsize:
        raise CorruptImage(DAMAGED)

    patterns: Patterns = np.frombuffer(value.dataset, word, count, value.start)

    # Bytes in big-endian words: the second comes before the first.
    if word.itemsize == 1 and order == ">" and value.vr == "OW":
        padded = np.frombuffer(value.dataset, np.uint8, count + count % 2, value.start)
        patterns = padded.reshape(-1, 2)[:, ::-1].reshape(-1)[:count]

    return patterns.reshape(encoded.rows, encoded.columns).astype(
        word.newbyteorder("="), copy=False
    )


def _read_rle(data: bytes, encoded: Encoded) -> Patterns:
    """Decode RLE (PS3.5 annex G) into exactly the length that the header declares."""
    word = np.dtype(f"<u{encoded.storage.bits_allocated // 8}")
    length = encoded.rows * encoded.columns * word.itemsize
    if int.from_bytes(data[:4], "little") != word.itemsize:
        raise CorruptImage(_CONTRADICTION)

    with as_corrupt_image(DAMAGED):
        decoded = imagecodecs.dicomrle_decode(data, word, out=length)
    if len(decoded) != length:
        raise CorruptImage(DAMAGED)
    return np.frombuffer(decoded, word).reshape(encoded.rows, encoded.columns)


def _read_jpeg(codestream: Codestream) -> Patterns:
    decoders: Mapping[Family, Callable[..., Patterns]] = {
        "JPEG": imagecodecs.jpeg8_decode,
        "JPEG-LS": imagecodecs.jpegls_decode,
    }
    word = np.uint8 if codestream.bits <= 8 else np.uint16  # noqa: PLR2004 - a byte
    patterns: Patterns = np.empty((codestream.rows, codestream.columns), word)
    with as_corrupt_image(DAMAGED):
        return decoders[codestream.family](codestream.data, out=patterns)


def _read_jpeg2000(
    codestream: Codestream, storage: Storage, min_size: tuple[int, int] | None
) -> Decoded:
    """Decode JPEG 2000, at a reduced resolution where `min_size` and the storage allow it."""
    reduction = _reduction(codestream, storage, min_size)
    step = 2**reduction

    with as_corrupt_image(DAMAGED):
        image = Jpeg2KImageFile(BytesIO(codestream.data))
        image.reduce = reduction
        # Pillow rounds reduced edges to the nearest pixel, OpenJPEG rounds them up. Where they
        # differ, decoding fails. Pillow has no public way to set the size.
        rounded_up = (-(-edge // step) * step for edge in image.size)
        image._size = tuple(rounded_up)  # noqa: SLF001 - see above
        unsigned = np.asarray(image)

    # Pillow shifts signed values into the unsigned range, and all values to the top of the word.
    values = unsigned >> (8 * unsigned.itemsize - codestream.bits)
    offset = codestream.signed << (codestream.bits - 1)
    if not reduction:
        return Decoded(values.astype(np.uint16) - np.uint16(offset))

    # Low-pass filtering overshoots at edges. Values beyond the stored range must not wrap around.
    lowest, highest = storage.range
    clipped = np.clip(values.astype(np.int32) - offset, lowest, highest)
    return Decoded(clipped.astype(np.uint16), _from_reduced(codestream.origin, step))


def _reduction(codestream: Codestream, storage: Storage, min_size: tuple[int, int] | None) -> int:
    """Return how often the resolution may be halved: 0 if patterns are not the stored values."""
    if (
        min_size is None
        or codestream.signed != storage.signed
        or storage.high_bit + 1 != storage.bits_stored
    ):
        return 0

    halvings = geometry.max_halvings(codestream.rows, codestream.columns, min_size)
    return min(codestream.reductions, halvings)


def _from_reduced(origin: tuple[int, int], step: int) -> Affine:
    """Return the map from the grid of a reduced image to the full grid.

    The wavelet's low-pass filters are symmetric about every second pixel of the reference grid
    (ISO/IEC 15444-1 F.3). A reduced pixel therefore lies on a pixel of the full grid, not in the
    middle of the pixels that it replaces.
    """
    first_x, first_y = (-start % step for start in origin)
    return Affine(step, first_x, step, first_y)
