"""Read the size and depth of a compressed image from its first markers, before it is decoded."""

import struct
from dataclasses import dataclass
from typing import Literal

from service.errors import CorruptImage

Family = Literal["JPEG", "JPEG-LS", "JPEG 2000"]

DAMAGED = "The pixel data of the DICOM file are truncated or damaged."

# JPEG: ISO/IEC 10918-1 B.1.1.3, JPEG-LS: ISO/IEC 14495-1 C.1.1
_JPEG_START = b"\xff\xd8"
_JPEG_END = b"\xff\xd9"
_JPEG_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_JPEG_LS_FRAME = 0xF7
_FRAME = struct.Struct(">BHHB")  # precision, rows, columns, components
_MAX_PADDING = 64  # bytes that some writers leave after the end of image

# JPEG 2000: ISO/IEC 15444-1 A.4, A.5.1 and A.6.1. Some files have a JP2 header before them.
_JPEG2000_START = b"\xff\x4f\xff\x51"
_CODING_STYLE = 0xFF52
_TILE_PART = 0xFF90
# Size marker: right, bottom, left, top, tile width, tile height, number of components, then depth
# and steps of the first component.
_SIZE = struct.Struct(">4x4I2I8xHBBB")
_MAX_TILES = 4096


@dataclass(frozen=True, slots=True)
class Codestream:
    """A compressed image, with the size and depth that its markers declare.

    `reductions`: number of times that JPEG 2000 can be decoded at half the resolution, 0 for other
    families. `origin`: (x, y) of the first pixel on JPEG 2000's reference grid.
    """

    data: bytes
    family: Family
    rows: int
    columns: int
    components: int
    bits: int
    signed: bool = False
    reductions: int = 0
    origin: tuple[int, int] = (0, 0)


def read_codestream(data: bytes) -> Codestream:
    """Read the markers of a JPEG, JPEG-LS or JPEG 2000 image.

    JPEG decoders fill missing parts with grey. A JPEG or JPEG-LS image without its end marker is
    therefore refused here.

    Raises:
        CorruptImage: the data are truncated, or of another family.
    """
    try:
        if data.startswith(_JPEG_START):
            return _read_jpeg(data)
        return _read_jpeg2000(data[data.index(_JPEG2000_START) :])
    except (ValueError, struct.error, IndexError) as error:
        raise CorruptImage(DAMAGED) from error


def _read_jpeg(data: bytes) -> Codestream:
    if data.rfind(_JPEG_END) < len(data) - _MAX_PADDING:
        raise ValueError("no end of image")

    # Walk from marker to marker until the frame header.
    position = len(_JPEG_START)
    while True:
        if data[position] != 0xFF:  # noqa: PLR2004 - every marker begins with it
            raise ValueError("no marker")

        marker = data[position + 1]
        if marker == 0xFF:  # noqa: PLR2004 - a fill byte
            position += 1
        elif marker in _JPEG_FRAMES or marker == _JPEG_LS_FRAME:
            bits, rows, columns, components = _FRAME.unpack_from(data, position + 4)
            family: Family = "JPEG-LS" if marker == _JPEG_LS_FRAME else "JPEG"
            return Codestream(data, family, rows, columns, components, bits)
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4])


def _read_jpeg2000(data: bytes) -> Codestream:
    right, bottom, left, top, tile_width, tile_height, components, depth, step_x, step_y = (
        _SIZE.unpack_from(data, 4)
    )
    if (step_x, step_y) != (1, 1) or not (tile_width and tile_height):
        raise ValueError("subsampled, or tiles without area")

    rows = bottom - top
    columns = right - left
    if -(-rows // tile_height) * -(-columns // tile_width) > _MAX_TILES:
        raise ValueError("too many tiles")

    return Codestream(
        data=data,
        family="JPEG 2000",
        rows=rows,
        columns=columns,
        components=components,
        bits=(depth & 0x7F) + 1,
        signed=bool(depth >> 7),
        reductions=_decompositions(data),
        origin=(left, top),
    )


def _decompositions(data: bytes) -> int:
    """Return the number of wavelet decomposition levels in the main header."""
    position = 2  # after the start of codestream
    while True:
        marker, length = struct.unpack_from(">HH", data, position)
        if marker == _CODING_STYLE:
            return data[position + 9]
        if marker == _TILE_PART:
            raise ValueError("no coding style")
        position += 2 + length
