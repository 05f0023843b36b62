"""Read the main header of JPEG 2000, and make sure that all of its tile-parts are there.

Tile-parts declare their lengths (ISO/IEC 15444-1 A.4.2), so missing data are noticed without the
end marker. OpenJPEG leaves missing tiles black.
"""

import struct
from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from service.errors import UnsupportedImage
from service.imaging.codestreams.codestream import Codestream
from service.imaging.codestreams.missing_end import NOISE, add_end, ends_in_padding

# ISO/IEC 15444-1 A.4, A.5.1 and A.6.1. Some files have a JP2 header before the codestream.
JPEG2000_START = b"\xff\x4f\xff\x51"
_END = b"\xff\xd9"
_CODING_STYLE = 0xFF52
_TILE_PART = 0xFF90
_DATA = 0xFF93
# Size marker: right, bottom, left, top, tile width, tile height, number of components, then depth
# and steps of the first component.
_SIZE = struct.Struct(">4x4I2I8xHBBB")
_MAX_TILES = 4096
_SEGMENT = struct.Struct(">HH")  # marker, length without the marker
_MAX_SEGMENTS = 10_000
# Tile-part: marker, length, index of the tile, length of the tile-part or 0 for the rest, index of
# the tile-part, number of the tile's tile-parts or 0 for unknown
_PART = struct.Struct(">HHHIBB")
_PART_START = _TILE_PART.to_bytes(2)
_MAX_PARTS = 255  # of a tile


@dataclass(frozen=True, slots=True)
class _Parts:
    """All tile-parts: the offset after them, and whether the last one declares its length.

    `are_counted`: whether every tile declares the number of its tile-parts.
    """

    stop: int
    has_length: bool
    are_counted: bool


def read_jpeg2000(data: bytes) -> Codestream:
    """Read the main header, cut off padding, and add the end marker if it alone is missing.

    Raises:
        UnsupportedImage: the pixels are subsampled.
        ValueError, struct.error, IndexError: the image is truncated or damaged.
    """
    data = data[data.index(JPEG2000_START) :]
    right, bottom, left, top, tile_width, tile_height, components, depth, step_x, step_y = (
        _SIZE.unpack_from(data, 4)
    )
    if (step_x, step_y) != (1, 1):
        raise UnsupportedImage("The JPEG 2000 image is subsampled.")
    if not (tile_width and tile_height):
        raise ValueError("tiles without area")

    rows = bottom - top
    columns = right - left
    tiles = -(-rows // tile_height) * -(-columns // tile_width)
    if tiles > _MAX_TILES:
        raise ValueError("too many tiles")

    first_part, reductions = _read_main_header(data)
    return Codestream(
        data=_complete(data, _walk(data, first_part, tiles)),
        family="JPEG 2000",
        rows=rows,
        columns=columns,
        components=components,
        bits=(depth & 0x7F) + 1,
        signed=bool(depth >> 7),
        reductions=reductions,
        origin=(left, top),
    )


def _read_main_header(data: bytes) -> tuple[int, int]:
    """Return the offset of the first tile-part, and the number of decomposition levels."""
    position = 2  # after the start of codestream
    levels: int | None = None
    for _ in range(_MAX_SEGMENTS):
        marker, length = _SEGMENT.unpack_from(data, position)
        if marker == _CODING_STYLE:
            levels = data[position + 9]
        if marker == _TILE_PART:
            break
        position += 2 + length
    else:
        raise ValueError("too many segments")

    if levels is None:
        raise ValueError("no coding style")
    return position, levels


def _walk(data: bytes, position: int, tiles: int) -> _Parts:
    """Walk through the tile-parts. Raises ValueError if any is missing or incomplete."""
    parts: Counter[int] = Counter()
    declared: dict[int, int] = {}
    length = -1
    while length and data.startswith(_PART_START, position):
        _, _, tile, length, _, number = _PART.unpack_from(data, position)
        parts[tile] += 1
        if number:
            declared[tile] = number
        if tile >= tiles or parts[tile] > _MAX_PARTS:
            raise ValueError("too many tile-parts")

        start = _start_of_data(data, position)
        if length:
            position += length
            if not start <= position <= len(data):
                raise ValueError("incomplete tile-part")
        else:
            # The rest, in which no marker occurs.
            end = data.find(_END, start)
            position = len(data) if end < 0 else end

    if len(parts) < tiles or any(parts[tile] < number for tile, number in declared.items()):
        raise ValueError("missing tile-parts")
    return _Parts(position, has_length=length != 0, are_counted=len(declared) == tiles)


def _start_of_data(data: bytes, position: int) -> int:
    """Return the offset of the compressed data in the tile-part there."""
    position += _PART.size
    for _ in range(_MAX_SEGMENTS):
        marker, length = _SEGMENT.unpack_from(data, position)
        if marker == _DATA:
            return position + 2
        position += 2 + length
    raise ValueError("no data in tile-part")


def _complete(data: bytes, parts: _Parts) -> bytes:
    """Return the codestream with its end marker, and without padding where that misleads."""
    if data.startswith(_END, parts.stop):
        # OpenJPEG counts padding to a tile-part without length.
        return data if parts.has_length else data[: parts.stop + len(_END)]

    if not parts.has_length:
        return add_end(data, _decode, [_END, NOISE + _END])
    if not parts.are_counted:
        raise ValueError("no end of codestream, and maybe more tile-parts")
    if ends_in_padding(data, parts.stop):
        raise ValueError("no end of codestream, and padding in place of data")
    return data[: parts.stop] + _END


def _decode(data: bytes) -> NDArray[Any]:
    return np.asarray(Jpeg2KImageFile(BytesIO(data)))
