"""Encode arrays as PNG, with provenance in the text chunks."""

from collections.abc import Mapping
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

COMPRESSION = 1
"""zlib level. Level 6 makes a 1024-pixel overlay a tenth smaller, but takes three times as long."""


def encode(image: Image.Image, text: Mapping[str, str] | None = None) -> bytes:
    """Encode the image as PNG.

    `text` goes into the text chunks, so that a saved picture keeps its provenance.
    """
    chunks = PngImagePlugin.PngInfo()
    for key, value in (text or {}).items():
        chunks.add_text(key, value)

    buffer = BytesIO()
    image.save(buffer, "PNG", compress_level=COMPRESSION, pnginfo=chunks)
    return buffer.getvalue()


def to_bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Scale values in [0, 1] to 0..255, rounded to nearest."""
    scaled = values * np.float32(255)
    scaled += np.float32(0.5)
    return scaled.astype(np.uint8)
