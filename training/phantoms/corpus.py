"""One small phantom in every supported transfer syntax and image format.

For tests, fuzzing and integrators.
"""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset

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
    return files


def _with_lookup_table(image: PhantomImage) -> bytes:
    """Return a DICOM file with a VOI LUT instead of windows, and with a padding value."""
    dataset = to_dicom(image, Acquisition(windows=()))

    table = Dataset()
    table.LUTDescriptor = [4096, 0, 12]
    table.LUTData = list(range(4096))
    table["LUTData"].VR = "US"
    dataset.VOILUTSequence = [table]
    dataset.PixelPaddingValue = 0

    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _raster(pixels: NDArray[Any], file_format: str, options: dict[str, object]) -> bytes:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, file_format, **options)
    return stream.getvalue()
