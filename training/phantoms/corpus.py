"""One small phantom in every supported transfer syntax and image format.

For tests, fuzzing and integrators.
"""

import struct
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_fragments

from training.phantoms.acquisition import Acquisition, PhantomWindow
from training.phantoms.dicom_writer import to_dicom, to_dicom_bytes
from training.phantoms.transfer import SYNTAXES, Syntax
from training.phantoms.view import Detector, PhantomImage, render_view

_SMALL = Detector(rows=160, columns=120)
_RASTERS: Mapping[str, tuple[str, dict[str, object]]] = {
    "png": ("PNG", {}),
    "tiff": ("TIFF", {}),
    "tiff-lzw": ("TIFF", {"compression": "tiff_lzw"}),
    "tiff-deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "tiff-packbits": ("TIFF", {"compression": "packbits"}),
}
_QUALITY = 95

# Syntaxes with a file whose stream is padded, and its padding.
_PADDED: tuple[Syntax, ...] = ("rle", "jpeg-extended", "jpeg-lossless-sv1", "jpeg-ls", "jpeg2000")
_PADDING = bytes(6)
_RLE_HEADER = "<16I"


def plain_acquisition(syntax: Syntax) -> Acquisition:
    """Return an acquisition with the full range of 12 bits, or of 8 bits for JPEG Baseline.

    JPEG Baseline has no more than 8 bits.
    """
    if syntax == "jpeg":
        return Acquisition(bits=8, windows=(PhantomWindow(128, 256),), transfer_syntax=syntax)
    return Acquisition(transfer_syntax=syntax)


def make_corpus(detector: Detector = _SMALL) -> dict[str, bytes]:
    """Return the files by name. Every call returns the same bytes."""
    image = render_view(np.random.default_rng(3), view="MLO", detector=detector)

    # DICOM: every transfer syntax, then special ways to display the values.
    files = {
        f"dicom-{syntax}": to_dicom_bytes(image, plain_acquisition(syntax)) for syntax in SYNTAXES
    }
    files["dicom-monochrome1-sigmoid"] = to_dicom_bytes(
        image,
        Acquisition(
            bits=16, photometric="MONOCHROME1", windows=(PhantomWindow(20_000, 30_000, "SIGMOID"),)
        ),
    )
    files["dicom-lookup-table"] = _with_lookup_table(image)

    # Raster formats with 8 and 16 bits. JPEG has 8 bits only.
    for name, (file_format, options) in _RASTERS.items():
        files[f"{name}-16"] = _raster(image.pixels, file_format, options)
        files[f"{name}-8"] = _raster((image.pixels >> 8).astype(np.uint8), file_format, options)
    files["jpeg-8"] = _raster((image.pixels >> 8).astype(np.uint8), "JPEG", {"quality": 95})
    return files | _rare_rasters(image.pixels) | _padded_streams(image)


def _rare_rasters(pixels: NDArray[np.uint16]) -> dict[str, bytes]:
    """Return files that are grey although their kinds may hold more, and JPEG of 12 bits."""
    grey = Image.fromarray((pixels >> 8).astype(np.uint8))
    deep = np.dstack([pixels] * 3)
    twelve = pixels >> 4

    return {
        "png-palette": _save(grey.convert("P"), "PNG", {}),
        "png-alpha": _save(grey.convert("RGBA"), "PNG", {}),
        "png-colour-16": bytes(imagecodecs.png_encode(deep)),
        "tiff-palette": _save(grey.convert("P"), "TIFF", {}),
        "tiff-big": _raster(pixels, "TIFF", {"big_tiff": True}),
        "jpeg-12": bytes(imagecodecs.jpeg8_encode(twelve, _QUALITY, bitspersample=12)),
        "jpeg-lossless-12": bytes(
            imagecodecs.jpeg8_encode(twelve, lossless=True, bitspersample=12)
        ),
        "jpeg-ls-16": bytes(imagecodecs.jpegls_encode(pixels)),
    }


def _padded_streams(image: PhantomImage) -> dict[str, bytes]:
    """Return DICOM files with padding in place of the end marker, or between segments."""
    files: dict[str, bytes] = {}
    for syntax in _PADDED:
        dataset = to_dicom(image, plain_acquisition(syntax))
        _offsets, stream = generate_fragments(dataset.PixelData)
        dataset.PixelData = encapsulate([_padded(stream)])
        files[f"dicom-{syntax}-padded"] = _written(dataset)
    return files


def _padded(stream: bytes) -> bytes:
    """Return the stream without its end marker, or RLE with longer segments."""
    if not stream.startswith(b"\xff"):
        count, first, second, *rest = struct.unpack(_RLE_HEADER, stream[:64])
        header = struct.pack(_RLE_HEADER, count, first, second + len(_PADDING), *rest)
        return header + stream[64:second] + _PADDING + stream[second:] + _PADDING

    return stream[: stream.rindex(b"\xff\xd9")] + _PADDING


def _with_lookup_table(image: PhantomImage) -> bytes:
    """Return a DICOM file with a VOI LUT instead of windows, and with a padding value."""
    dataset = to_dicom(image, Acquisition(windows=()))

    table = Dataset()
    table.LUTDescriptor = [4096, 0, 12]
    table.LUTData = list(range(4096))
    table["LUTData"].VR = "US"
    dataset.VOILUTSequence = [table]
    dataset.PixelPaddingValue = 0

    return _written(dataset)


def _written(dataset: Dataset) -> bytes:
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _raster(pixels: NDArray[Any], file_format: str, options: dict[str, object]) -> bytes:
    return _save(Image.fromarray(pixels), file_format, options)


def _save(image: Image.Image, file_format: str, options: dict[str, object]) -> bytes:
    stream = BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()
