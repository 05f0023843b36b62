"""Read the markers of JPEG and JPEG-LS up to the end of the image.

Comments, application data and fill bytes may stand between any two markers.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import replace

import imagecodecs

from service.errors import UnsupportedImage
from service.imaging.codestreams.codestream import Codestream, Family
from service.imaging.codestreams.missing_end import NOISE, add_end

# JPEG: ISO/IEC 10918-1 B.1.1.3, JPEG-LS: ISO/IEC 14495-1 C.1.1
JPEG_START = b"\xff\xd8"
JPEG_END = b"\xff\xd9"
_BASELINE = 0xC0
_EXTENDED = 0xC1
_PROGRESSIVE = 0xC2
_LOSSLESS = 0xC3
_ARITHMETIC = 0xC9
_PROGRESSIVE_ARITHMETIC = 0xCA
_JPEG_LS = 0xF7
# Hierarchical, and lossless with arithmetic coding
_NO_DECODER = {0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF, 0xDE}
_LOSSY = {_BASELINE, _EXTENDED, _PROGRESSIVE, _ARITHMETIC, _PROGRESSIVE_ARITHMETIC}
_FRAME = struct.Struct(">BHHB")  # precision, rows, columns, components
_START_CODE = 0xD8
_END_CODE = 0xD9
_SCAN = 0xDA
_APPLICATION_1 = 0xE1
_EXIF = b"Exif\x00\x00"

# Compressed data hold no such pair of bytes: a zero bit or byte follows each FF, or a restart.
_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
_MAX_MARKERS = 10_000
_MAX_PADDING = 64  # bytes after the end of image, in which it is sought first

# Continuations by which a truncated image decodes to different pixels. They hold restart markers,
# since a decoder skips to the next one. It waits for its number, so both halves come first once.
_RESTARTS = [bytes((0xFF, 0xD0 + number)) + NOISE for number in range(8)]
_JPEG_TAILS = (
    JPEG_END,
    NOISE + b"".join(_RESTARTS) + JPEG_END,
    NOISE + b"".join(_RESTARTS[4:] + _RESTARTS[:4]) + JPEG_END,
)


def read_jpeg(data: bytes) -> Codestream:
    """Read the frame header, and add the end marker if it alone is missing.

    Raises:
        UnsupportedImage: a coding process or depth that the decoder lacks.
        ValueError, struct.error, IndexError: the image is truncated or damaged.
    """
    is_ended = data.rfind(JPEG_END, max(0, len(data) - _MAX_PADDING)) >= 0
    frame: Codestream | None = None
    process = 0
    scans = 0

    for marker, segment in _markers(data):
        if marker in _NO_DECODER:
            raise UnsupportedImage("The JPEG image is hierarchical, or of a rare coding process.")
        if marker in _LOSSY or marker in {_LOSSLESS, _JPEG_LS}:
            frame = _read_frame(data, marker, segment)
            process = marker
        scans += marker == _SCAN
        is_ended = is_ended or marker == _END_CODE
        if marker == _END_CODE or (is_ended and frame is not None):
            break

    if frame is None:
        raise ValueError("no frame")
    return frame if is_ended else _with_end(frame, process, scans)


def read_exif(data: bytes) -> bytes:
    """Return the EXIF data before the compressed data, empty if there are none."""
    for marker, segment in _markers(data):
        if marker in {_SCAN, _END_CODE}:
            break
        if marker == _APPLICATION_1 and data.startswith(_EXIF, segment + 2):
            length = int.from_bytes(data[segment : segment + 2])
            return data[segment + 2 : segment + length]
    return b""


def _markers(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the codes of the markers, and the positions after them."""
    position = len(JPEG_START)
    for _ in range(_MAX_MARKERS):
        match = _MARKER.search(data, position)
        if match is None:
            return

        marker = data[match.end() - 1]
        position = match.end()
        yield marker, position
        if marker not in {_START_CODE, _END_CODE}:
            position += int.from_bytes(data[position : position + 2])
    raise ValueError("too many markers")


def _read_frame(data: bytes, marker: int, segment: int) -> Codestream:
    """Read the frame header at that position."""
    bits, rows, columns, components = _FRAME.unpack_from(data, segment + 2)

    if marker in _LOSSY and bits not in {8, 12}:
        raise UnsupportedImage("The JPEG image does not have 8 or 12 bits per sample.")
    if not rows:
        raise UnsupportedImage("The JPEG image tells its number of rows after its pixels.")

    family: Family = "JPEG-LS" if marker == _JPEG_LS else "JPEG"
    return Codestream(data, family, rows, columns, components, bits)


def _with_end(frame: Codestream, process: int, scans: int) -> Codestream:
    """Return a greyscale image in one scan with its end marker, if all of its pixels are there."""
    if scans != 1 or frame.components != 1:
        raise ValueError("no end of image")

    # CharLS notices missing data.
    if frame.family == "JPEG-LS":
        return replace(frame, data=add_end(frame.data, imagecodecs.jpegls_decode, [JPEG_END]))
    if process in {_BASELINE, _EXTENDED, _LOSSLESS}:
        return replace(frame, data=add_end(frame.data, imagecodecs.jpeg8_decode, _JPEG_TAILS))
    raise ValueError("no end of image")
