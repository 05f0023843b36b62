"""Decode DICOM pixel data to the bit pattern of every pixel, the index of a display table.

The decoders were chosen by measurement (`docs/benchmarks.md`) and licence:

- Pillow (OpenJPEG) for JPEG 2000 and HTJ2K: it refuses damaged codestreams and decodes at reduced
  resolution.
- imagecodecs for JPEG (libjpeg-turbo: 8 and 12 bits, lossless up to 16), JPEG-LS (CharLS) and RLE.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO

import imagecodecs
import numpy as np
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
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

from service.errors import CorruptImage, UnsupportedImage
from service.geometry import IDENTITY, Affine
from service.imaging.codestreams.codestream import Codestream, Family
from service.imaging.codestreams.reader import read_codestream
from service.imaging.dicom.dataset_file import PixelData
from service.imaging.dicom.fragments import is_encapsulated, join_fragments
from service.imaging.dicom.greyscale import Storage
from service.imaging.dicom.overshoot import Patterns, clip_overshoot
from service.imaging.dicom.rle import decode_rle
from service.imaging.library_errors import as_corrupt_image
from service.imaging.reduction import Pyramid, from_reduced

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
_LOSSY = {JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, JPEG2000, HTJ2K}
SYNTAXES = (*NATIVE, RLELossless, *_FAMILIES)
"""All supported transfer syntaxes."""

DAMAGED = "The pixel data of the DICOM file are truncated or damaged."
_CONTRADICTION = (
    "The DICOM file contradicts itself: its header and its compressed image differ in size, depth "
    "or kind."
)


@dataclass(frozen=True, slots=True)
class Encoded:
    """The value of Pixel Data, and the attributes that are needed to decode it.

    `overlaid`: the unused bits of pixels hold overlays.
    """

    value: PixelData
    syntax: UID
    rows: int
    columns: int
    storage: Storage
    overlaid: bool

    @property
    def is_jpeg2000(self) -> bool:
        """Whether the decoder can reduce the resolution."""
        return _FAMILIES.get(self.syntax) == "JPEG 2000"


@dataclass(frozen=True, slots=True)
class Decoded:
    """Bit patterns [rows, columns], possibly at a reduced resolution.

    `to_source`: map from their grid to the image's. `halvings`: of the resolution.
    """

    patterns: Patterns
    to_source: Affine = IDENTITY
    halvings: int = 0


class PixelReader:
    """Decodes the pixel data of one image, at several resolutions.

    JPEG 2000 is decoded at each resolution, which costs less than to reduce the full one. In the
    other syntaxes the data are decoded once, and the stored values are reduced by the same filter.
    """

    def __init__(self, encoded: Encoded) -> None:
        self._encoded = encoded
        self._decoded: Decoded | None = None
        self._pyramid = Pyramid(encoded.storage.range)

    def decode(self, halvings: int = 0) -> Decoded:
        """Decode the pixel data, and halve their resolution that many times.

        Raises:
            CorruptImage: the data are damaged, or contradict the header.
            UnsupportedImage: the image is in colour.
        """
        if self._decoded is None or self._encoded.is_jpeg2000:
            self._decoded = _decode(self._encoded, halvings)
            self._decoded.patterns.flags.writeable = False
            self._pyramid = Pyramid(self._encoded.storage.range)
        return self._reduced(self._decoded, halvings - self._decoded.halvings)

    def _reduced(self, decoded: Decoded, halvings: int) -> Decoded:
        """Halve the resolution of decoded pixels that many times more."""
        if not halvings:
            return decoded

        storage = self._encoded.storage
        values = self._pyramid.reduced(storage.values_of(decoded.patterns), halvings)
        return Decoded(
            storage.patterns_of(values),
            from_reduced(halvings).then(decoded.to_source),
            decoded.halvings + halvings,
        )


def _decode(encoded: Encoded, halvings: int) -> Decoded:
    """Decode the pixel data, JPEG 2000 with up to that many halvings of its resolution."""
    # Uncompressed and RLE.
    if encoded.syntax in NATIVE:
        return Decoded(_read_native(encoded))
    data = join_fragments(encoded.value, DAMAGED)
    if encoded.syntax == RLELossless:
        return Decoded(_read_rle(data, encoded))

    # JPEG families: the codestream must agree with the header before it is decoded.
    codestream = read_codestream(data, DAMAGED)
    _require_agreement(codestream, encoded)

    if codestream.family == "JPEG 2000":
        return _read_jpeg2000(codestream, encoded, halvings)
    patterns = _read_jpeg(codestream)
    return Decoded(_without_overshoot(patterns, codestream, encoded))


def _require_agreement(codestream: Codestream, encoded: Encoded) -> None:
    """Refuse a codestream in colour, or of another kind, size or depth than the header declares."""
    if codestream.components != 1:
        raise UnsupportedImage("The image is in colour. A mammogram is greyscale.")

    family = _FAMILIES[encoded.syntax]
    if codestream.family != family:
        raise CorruptImage(
            f"The DICOM file contradicts itself: its transfer syntax names {family}, but its pixel "
            f"data are {codestream.family}."
        )
    described = codestream.rows, codestream.columns
    if described != (encoded.rows, encoded.columns):
        raise CorruptImage(_CONTRADICTION)
    if codestream.bits > encoded.storage.bits_allocated:
        raise CorruptImage(_CONTRADICTION)


def _read_native(encoded: Encoded) -> Patterns:
    """Read uncompressed pixel data. Bytes after the last row are padding."""
    value = encoded.value
    count = encoded.rows * encoded.columns
    order = "<" if encoded.syntax.is_little_endian else ">"
    word = np.dtype(f"{order}u{encoded.storage.bits_allocated // 8}")
    if min(value.stop, len(value.dataset)) - value.start < count * word.itemsize:
        raise CorruptImage(_CONTRADICTION if is_encapsulated(value) else DAMAGED)

    patterns: Patterns = np.frombuffer(value.dataset, word, count, value.start)

    # Bytes in big-endian words: the second comes before the first.
    if word.itemsize == 1 and order == ">" and value.vr == "OW":
        padded = np.frombuffer(value.dataset, np.uint8, count + count % 2, value.start)
        patterns = padded.reshape(-1, 2)[:, ::-1].reshape(-1)[:count]

    return patterns.reshape(encoded.rows, encoded.columns).astype(
        word.newbyteorder("="), copy=False
    )


def _read_rle(data: bytes, encoded: Encoded) -> Patterns:
    word = np.dtype(f"<u{encoded.storage.bits_allocated // 8}")
    if int.from_bytes(data[:4], "little") != word.itemsize:
        raise CorruptImage(_CONTRADICTION)

    return decode_rle(data, (encoded.rows, encoded.columns), word, DAMAGED)


def _read_jpeg(codestream: Codestream) -> Patterns:
    decoders: Mapping[Family, Callable[..., Patterns]] = {
        "JPEG": imagecodecs.jpeg8_decode,
        "JPEG-LS": imagecodecs.jpegls_decode,
    }
    word = np.uint8 if codestream.bits <= 8 else np.uint16  # noqa: PLR2004 - a byte
    patterns: Patterns = np.empty((codestream.rows, codestream.columns), word)
    with as_corrupt_image(DAMAGED):
        return decoders[codestream.family](codestream.data, out=patterns)


def _without_overshoot(patterns: Patterns, codestream: Codestream, encoded: Encoded) -> Patterns:
    """Clip what lossy compression adds to the stored range, unless the bits above hold overlays."""
    if encoded.syntax not in _LOSSY or encoded.overlaid:
        return patterns
    return clip_overshoot(patterns, codestream, encoded.storage)


def _read_jpeg2000(codestream: Codestream, encoded: Encoded, halvings: int) -> Decoded:
    """Decode JPEG 2000, with up to that many halvings of its resolution."""
    storage = encoded.storage
    reduction = min(codestream.reductions, halvings) if _may_reduce(codestream, storage) else 0
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
    spare_bits = 8 * unsigned.itemsize - codestream.bits
    values = unsigned >> spare_bits if spare_bits else unsigned
    offset = codestream.signed << (codestream.bits - 1)
    if not reduction:
        patterns = values.astype(np.uint16, copy=False)
        patterns = patterns - np.uint16(offset) if offset else patterns
        return Decoded(_without_overshoot(patterns, codestream, encoded))

    # Low-pass filtering overshoots at edges. Values beyond the stored range must not wrap around.
    lowest, highest = storage.range
    clipped = np.clip(values.astype(np.int32) - offset, lowest, highest)
    to_source = from_reduced(reduction, codestream.origin)
    return Decoded(clipped.astype(np.uint16), to_source, reduction)


def _may_reduce(codestream: Codestream, storage: Storage) -> bool:
    """Return whether the decoder's values are the stored values."""
    return codestream.signed == storage.signed and storage.shift == 0
