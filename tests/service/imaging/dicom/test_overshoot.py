"""Lossy codestreams that are deeper than the stored values, against the decoded values."""

from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from openjpeg.utils import encode_array
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSNearLossless,
)

from service.imaging import decode

WriteDicom = Callable[..., bytes]
Values = NDArray[Any]

_NEAR = 5
_RNG = np.random.default_rng(3)


def _plate(bits: int) -> Values:
    """A dark image with a plate that is white and grey in a fine pattern."""
    values = _RNG.integers(0, 2 ** (bits - 2), (64, 64))
    values[16:48, 16:48] = np.where(_RNG.random((32, 32)) < 0.5, 2**bits - 1, 0.8 * 2**bits)
    return values.astype(np.uint16)


def _jpeg2000(values: Values, bits: int) -> bytes:
    return bytes(
        encode_array(
            values, bits_stored=bits, photometric_interpretation=2, compression_ratios=[6.0]
        )
    )


# By syntax: stored bits, and the codestream of the values.
CODESTREAMS: dict[UID, tuple[int, Callable[[Values], bytes]]] = {
    JPEGBaseline8Bit: (
        7, lambda values: bytes(imagecodecs.jpeg8_encode(values.astype(np.uint8), 90))
    ),
    JPEGExtended12Bit: (
        10, lambda values: bytes(imagecodecs.jpeg8_encode(values, 90, bitspersample=12))
    ),
    JPEGLSNearLossless: (10, lambda values: bytes(imagecodecs.jpegls_encode(values, _NEAR))),
    JPEG2000: (10, lambda values: _jpeg2000(values, 16)),
    HTJ2K: (10, lambda values: bytes(imagecodecs.htj2k_encode(values, 0.002, reversible=False))),
}  # fmt: skip
DECODERS: dict[UID, Callable[[bytes], Values]] = {
    JPEGBaseline8Bit: imagecodecs.jpeg8_decode,
    JPEGExtended12Bit: imagecodecs.jpeg8_decode,
    JPEGLSNearLossless: imagecodecs.jpegls_decode,
    JPEG2000: imagecodecs.jpeg2k_decode,
    HTJ2K: imagecodecs.htj2k_decode,
}


def _window(bits: int) -> dict[str, int]:
    """The window that displays every stored value."""
    return {"WindowCenter": 2 ** (bits - 1), "WindowWidth": 2**bits}


@pytest.mark.parametrize("syntax", CODESTREAMS, ids=lambda syntax: syntax.keyword)
def test_values_above_the_stored_range_are_white(write_dicom: WriteDicom, syntax: UID) -> None:
    bits, encode = CODESTREAMS[syntax]
    values = _plate(bits)
    codestream = encode(values)
    word = np.uint8 if syntax == JPEGBaseline8Bit else np.uint16

    shown = decode(
        write_dicom(
            values.astype(word),
            syntax,
            BitsStored=bits,
            PixelData=encapsulate([codestream]),
            **_window(bits),
        )
    ).pixels
    decoded = DECODERS[syntax](codestream).astype(int)
    step = 65535 / (2**bits - 1)
    expected = np.minimum(decoded, 2**bits - 1) * step

    assert decoded.max() >= 2**bits
    # Two decoders of lossy HTJ2K differ by one stored value.
    assert np.abs(shown - expected).max() <= 1.01 * step


def test_bits_that_hold_overlays_are_not_clipped(write_dicom: WriteDicom) -> None:
    values = _plate(10)
    values[:8] = 100 | 1 << 11
    codestream = bytes(imagecodecs.jpegls_encode(values, 1))

    shown = decode(
        write_dicom(
            values,
            JPEGLSNearLossless,
            BitsStored=10,
            PixelData=encapsulate([codestream]),
            add=(0x60000102, "US", 11),
            **_window(10),
        )
    ).pixels

    # The overlay is ignored. Its rows stay as dark as they are stored.
    assert shown[:8].max() < 65535 / 2


@pytest.mark.parametrize("syntax", [JPEG2000, JPEGLSNearLossless], ids=lambda uid: uid.keyword)
def test_signed_values_are_clipped_at_both_ends(write_dicom: WriteDicom, syntax: UID) -> None:
    values = (_plate(10).astype(np.int32) - 512).astype(np.int16)
    values[:16] = np.where(_RNG.random((16, 64)) < 0.5, -512, -400)
    codestream = (
        _jpeg2000(values, 16)
        if syntax == JPEG2000
        else bytes(imagecodecs.jpegls_encode(values.view(np.uint16), _NEAR))
    )

    shown = decode(
        write_dicom(
            values,
            syntax,
            BitsStored=10,
            PixelData=encapsulate([codestream]),
            WindowCenter=0,
            WindowWidth=1024,
        )
    ).pixels
    decoded = DECODERS[syntax](codestream).astype(np.int16)
    expected = (np.clip(decoded, -512, 511) + 512.0) * (65535 / 1023)

    assert decoded.max() > 511
    assert decoded.min() < -512
    assert np.abs(shown - expected).max() <= 0.5001
