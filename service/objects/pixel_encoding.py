"""Pixels of a Secondary Capture in each transfer syntax.

highdicom would copy them several times, and knows no quality of JPEG.
"""

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, JPEGLSLossless

from service.errors import NotStorable
from service.records import PixelSyntax

JPEG_QUALITY = 90
"""Of 100, with colour at half of the horizontal resolution."""

_MAX_JPEG_EDGE = 65_500
_HEAD_BYTES = 4096


def set_pixels(
    target: Dataset, samples: bytes, shape: tuple[int, int], syntax: PixelSyntax
) -> None:
    """Add RGB samples of `shape` = (rows, columns), three bytes a pixel, in that syntax.

    Raises:
        NotStorable: the picture is larger than JPEG can be.
    """
    target.Rows, target.Columns = shape
    if syntax is PixelSyntax.RAW:
        target.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        target.PixelData = samples if len(samples) % 2 == 0 else samples + b"\0"
        return

    picture = np.frombuffer(samples, np.uint8).reshape(*shape, 3)
    if syntax is PixelSyntax.JPEG_LS:
        target.file_meta.TransferSyntaxUID = JPEGLSLossless
        target.PixelData = encapsulate([_jpeg_ls(picture)])
    else:
        _set_jpeg(target, picture)
    target["PixelData"].VR = "OB"


def _jpeg_ls(picture: NDArray[np.uint8]) -> bytes:
    """Encode without loss. The encoder is given room for noise, else for the worst picture.

    A sample takes at most 32 bits (ITU-T T.87 C.2.4.1.2).
    """
    try:
        coded = imagecodecs.jpegls_encode(picture, out=picture.nbytes * 5 // 4 + _HEAD_BYTES)
    except imagecodecs.JpeglsError:
        coded = imagecodecs.jpegls_encode(picture, out=picture.nbytes * 4 + _HEAD_BYTES)
    return bytes(coded)


def _set_jpeg(target: Dataset, picture: NDArray[np.uint8]) -> None:
    if max(picture.shape) > _MAX_JPEG_EDGE:
        raise NotStorable(f"JPEG holds at most {_MAX_JPEG_EDGE} rows and columns.")

    jpeg = bytes(imagecodecs.jpeg8_encode(picture, level=JPEG_QUALITY, subsampling="422"))
    target.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    target.PhotometricInterpretation = "YBR_FULL_422"
    target.PixelData = encapsulate([jpeg])

    earlier = target.get("LossyImageCompression") == "01"
    ratios = _values(target, "LossyImageCompressionRatio") if earlier else []
    methods = _values(target, "LossyImageCompressionMethod") if earlier else []
    target.LossyImageCompression = "01"
    target.LossyImageCompressionRatio = [*ratios, f"{picture.nbytes / len(jpeg):.2f}"]
    target.LossyImageCompressionMethod = [*methods, "ISO_10918_1"]


def _values(target: Dataset, keyword: str) -> list[str]:
    if keyword not in target:
        return []
    element = target[keyword]
    return [str(value) for value in (element.value if element.VM > 1 else [element.value])]
