"""Formats of pictures, each with its encoder and with provenance in the file.

The encoders and their settings were chosen by measurement (`docs/benchmarks.md`).
"""

import json
import math
from collections.abc import Mapping
from enum import StrEnum
from io import BytesIO

import imagecodecs
from PIL import Image
from PIL.ExifTags import Base

from service.rendering import png
from service.rendering.png import Palette, Samples

QUALITY = 90
"""Of JPEG and WebP, of 100. Both hold colour at half of the resolution: heat is smooth."""

MAX_WEBP_EDGE = 4096
"""Max height and width of a WebP: libwebp takes twice the memory of the other encoders."""
_MAX_JPEG_EDGE = 65_500

# Pillow's method: more makes the file little smaller. For a palette, less makes it much larger.
_WEBP_METHOD = 0
_PALETTE_METHOD = 1


class PictureFormat(StrEnum):
    """PNG is exact, JPEG and WebP are smaller.

    JPEG cannot be transparent. A transparent WebP is exact, too.
    """

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"

    @property
    def max_edge(self) -> float:
        """Max height and width of a picture in pixels."""
        edges = {PictureFormat.JPEG: _MAX_JPEG_EDGE, PictureFormat.WEBP: MAX_WEBP_EDGE}
        return edges.get(self, math.inf)


def encode(
    samples: Samples,
    picture_format: PictureFormat,
    text: Mapping[str, str],
    palette: Palette | None = None,
) -> bytes:
    """Encode RGB [height, width, 3], or the indices of a palette.

    `text`: the provenance. PNG holds it in text chunks. JPEG and WebP hold it in EXIF: as a JSON
    object in ImageDescription, and its `Software` in Software.
    """
    if picture_format is PictureFormat.PNG:
        return png.encode(samples, text, palette)

    if picture_format is PictureFormat.WEBP:
        return _encode_webp(samples, _exif(text), palette)
    if palette is not None:
        raise ValueError("JPEG cannot be transparent")
    return _encode_jpeg(samples, _exif(text))


def _exif(text: Mapping[str, str]) -> bytes:
    exif = Image.Exif()
    exif[Base.ImageDescription] = json.dumps(dict(text))
    if "Software" in text:
        exif[Base.Software] = text["Software"]
    return exif.tobytes()


def _encode_jpeg(samples: Samples, exif: bytes) -> bytes:
    """Encode RGB as JPEG. Pillow would copy the samples into four bytes a pixel first."""
    jpeg = imagecodecs.jpeg8_encode(samples, level=QUALITY, subsampling="420")

    # The start of the image and its JFIF segment, then EXIF (ISO/IEC 10918-5, Exif 4.5.4).
    end_of_jfif = 4 + int.from_bytes(jpeg[4:6])
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif
    return b"".join([jpeg[:end_of_jfif], segment, jpeg[end_of_jfif:]])


def _encode_webp(samples: Samples, exif: bytes, palette: Palette | None) -> bytes:
    """Encode RGB as WebP, or without loss the indices of a palette."""
    image = Image.fromarray(samples)
    if palette is not None:
        image.putpalette(palette.colours.tobytes())
        image.info["transparency"] = palette.alpha.tobytes()
        return _save_lossless(image.convert("RGBA"), exif, _PALETTE_METHOD)

    file = BytesIO()
    try:
        image.save(file, "WEBP", quality=QUALITY, method=_WEBP_METHOD, exif=exif)
    except ValueError:
        # The part of the file that holds the modes of blocks is bounded (RFC 6386 9.5), and large
        # pictures of noise exceed it.
        return _save_lossless(image, exif, _WEBP_METHOD)
    return file.getvalue()


def _save_lossless(image: Image.Image, exif: bytes, method: int) -> bytes:
    file = BytesIO()
    image.save(file, "WEBP", lossless=True, quality=0, method=method, exif=exif)
    return file.getvalue()
