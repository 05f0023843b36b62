"""Write PNG, with provenance in the text chunks.

Pillow takes five times as long, as it tries five filters for each row and deflates with zlib. Here
every row is the difference from the row above, and zlib-ng deflates.
"""

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import PngImagePlugin

Samples = NDArray[np.uint8]

# It takes arrays, although its annotation says bytes alone.
_encode_deflate: Callable[..., Any] = imagecodecs.zlibng_encode

COMPRESSION = 2
"""zlib-ng level. Level 1 is a third faster and makes pictures half as large again."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEPTH = 8
_GREY = 0
_RGB = 2
_INDEXED = 3
_FILTER_UP = 2
_OVERHEAD = (
    1024  # bytes, beyond an eighth: more than zlib-ng adds to data that cannot be compressed
)


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of an indexed picture: RGB [256, 3], and the opacity [256] of each."""

    colours: Samples
    alpha: Samples


def encode(
    samples: Samples, text: Mapping[str, str] | None = None, palette: Palette | None = None
) -> bytes:
    """Encode grey [height, width], indices of a palette, or RGB [height, width, 3] as PNG.

    `text` goes into the text chunks, so that a saved picture keeps its provenance.
    """
    height, width = samples.shape[:2]
    colour = _RGB if samples.ndim > 2 else _INDEXED if palette else _GREY  # noqa: PLR2004 - RGB
    compressed = _deflated(_filtered(samples))

    file = BytesIO()
    file.write(_SIGNATURE)
    _write_chunk(file, b"IHDR", struct.pack(">2I5B", width, height, _DEPTH, colour, 0, 0, 0))
    if palette is not None:
        _write_chunk(file, b"PLTE", palette.colours.tobytes())
        _write_chunk(file, b"tRNS", palette.alpha.tobytes())
    _write_text(file, text or {})
    _write_chunk(file, b"IDAT", compressed)
    _write_chunk(file, b"IEND", b"")
    return file.getvalue()


def to_bytes(values: NDArray[np.float32]) -> Samples:
    """Scale values in [0, 1] to 0..255, rounded to nearest."""
    scaled = values * np.float32(255)
    scaled += np.float32(0.5)
    return scaled.astype(np.uint8)


def _filtered(samples: Samples) -> Samples:
    """Return the rows, each as the difference from the row above, after the code of the filter."""
    rows = samples.reshape(len(samples), -1)
    filtered = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = _FILTER_UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    return filtered


def _deflated(filtered: Samples) -> memoryview:
    """Compress the rows, into memory that is not copied."""
    room = np.empty(filtered.size + filtered.size // 8 + _OVERHEAD, np.uint8)
    return memoryview(_encode_deflate(filtered, level=COMPRESSION, out=room))


def _write_text(file: BytesIO, text: Mapping[str, str]) -> None:
    """Write the text chunks. Pillow chooses their kind by the characters of the text."""
    chunks = PngImagePlugin.PngInfo()
    for key, value in text.items():
        chunks.add_text(key, value)
    for name, content, *_ in chunks.chunks:
        _write_chunk(file, name, content)


def _write_chunk(file: BytesIO, name: bytes, content: bytes | memoryview) -> None:
    file.write(struct.pack(">I", len(content)))
    file.write(name)
    file.write(content)
    file.write(struct.pack(">I", zlib.crc32(content, zlib.crc32(name))))
