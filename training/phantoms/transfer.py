"""Encoding of stored values as DICOM pixel data, in every transfer syntax used for mammograms."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from openjpeg.utils import encode_array
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import RLELosslessEncoder
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

Syntax = Literal[
    "implicit", "explicit", "deflated", "big-endian", "rle",
    "jpeg", "jpeg-extended", "jpeg-lossless", "jpeg-lossless-sv1", "jpeg-ls", "jpeg-ls-near",
    "jpeg2000", "jpeg2000-lossy", "htj2k", "htj2k-rpcl", "htj2k-lossy",
]  # fmt: skip
Stored = NDArray[np.integer[Any]]

SYNTAXES: Mapping[Syntax, UID] = {
    "implicit": ImplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "big-endian": ExplicitVRBigEndian,
    "rle": RLELossless,
    "jpeg": JPEGBaseline8Bit,
    "jpeg-extended": JPEGExtended12Bit,
    "jpeg-lossless": JPEGLossless,
    "jpeg-lossless-sv1": JPEGLosslessSV1,
    "jpeg-ls": JPEGLSLossless,
    "jpeg-ls-near": JPEGLSNearLossless,
    "jpeg2000": JPEG2000Lossless,
    "jpeg2000-lossy": JPEG2000,
    "htj2k": HTJ2KLossless,
    "htj2k-rpcl": HTJ2KLosslessRPCL,
    "htj2k-lossy": HTJ2K,
}
LOSSY: frozenset[Syntax] = frozenset(
    {"jpeg", "jpeg-extended", "jpeg-ls-near", "jpeg2000-lossy", "htj2k-lossy"}
)

NEAR = 2  # maximum error of near-lossless JPEG-LS, in stored values
_JPEG_QUALITY = 95
_JPEG2000_RATIO = 8.0
_HTJ2K_STEP = 0.0001  # quantisation step, relative to the range
_SELECTION_VALUE = 6  # predictor of "jpeg-lossless" (SV1 has predictor 1)


def encode(stored: Stored, bits: int, syntax: Syntax) -> bytes:
    """Return the value of Pixel Data for `stored` [rows, columns] with `bits` significant bits.

    Raises:
        ValueError: the syntax does not support that number of bits.
    """
    word = stored.dtype.newbyteorder(">" if syntax == "big-endian" else "<")
    if not SYNTAXES[syntax].is_encapsulated:
        return stored.astype(word).tobytes()

    if syntax == "rle":
        return encapsulate([_encode_rle(stored, bits)])
    return encapsulate([_codestream(stored, bits, syntax)])


def _codestream(stored: Stored, bits: int, syntax: Syntax) -> bytes:
    """Return the compressed image, before encapsulation, for all compressed syntaxes but RLE."""
    if syntax.startswith("jpeg2000"):
        ratios = [_JPEG2000_RATIO] if syntax in LOSSY else None
        return bytes(
            encode_array(
                stored, bits_stored=bits, photometric_interpretation=2, compression_ratios=ratios
            )
        )

    if syntax.startswith("htj2k"):
        step = _HTJ2K_STEP if syntax in LOSSY else None
        return bytes(
            imagecodecs.htj2k_encode(
                stored, step, reversible=step is None, tlm=syntax == "htj2k-rpcl"
            )
        )

    # JPEG and JPEG-LS have no sign: a negative value is stored as its bit pattern.
    patterns = stored.view(f"u{stored.dtype.itemsize}") & np.array(
        2**bits - 1, f"u{stored.dtype.itemsize}"
    )

    encoders: Mapping[Syntax, Callable[[], bytes | bytearray]] = {
        "jpeg": lambda: imagecodecs.jpeg8_encode(patterns, _JPEG_QUALITY),
        "jpeg-extended": lambda: imagecodecs.jpeg8_encode(
            patterns, _JPEG_QUALITY, bitspersample=bits
        ),
        "jpeg-lossless": lambda: imagecodecs.jpeg8_encode(
            patterns, lossless=True, predictor=_SELECTION_VALUE, bitspersample=bits
        ),
        "jpeg-lossless-sv1": lambda: imagecodecs.jpeg8_encode(
            patterns, lossless=True, predictor=1, bitspersample=bits
        ),
        "jpeg-ls": lambda: imagecodecs.jpegls_encode(patterns),
        "jpeg-ls-near": lambda: imagecodecs.jpegls_encode(patterns, NEAR),
    }
    return bytes(encoders[syntax]())


def _encode_rle(stored: Stored, bits: int) -> bytes:
    """Return the image compressed by pydicom's RLE encoder."""
    rows, columns = stored.shape
    coded: bytes = RLELosslessEncoder.encode(
        stored,
        rows=rows,
        columns=columns,
        samples_per_pixel=1,
        bits_allocated=8 * stored.dtype.itemsize,
        bits_stored=bits,
        pixel_representation=int(np.issubdtype(stored.dtype, np.signedinteger)),
        photometric_interpretation="MONOCHROME2",
        number_of_frames=1,
        decoding_plugin="",
        encoding_plugin="pydicom",
    )
    return coded
