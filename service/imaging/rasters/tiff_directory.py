"""Read the first directory of a TIFF or BigTIFF: the form of its pixels.

libtiff does not tell unsupported files from damaged ones. The tags do (TIFF 6.0; BigTIFF:
libtiff.gitlab.io/libtiff/specification/bigtiff.html).
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

_WIDTH = 256
_LENGTH = 257
_BITS = 258
_COMPRESSION = 259
_PHOTOMETRIC = 262
_ORIENTATION = 274
_SAMPLES = 277
_PLANAR = 284
_PALETTE = 320
_EXTRA = 338
_FORMAT = 339
_TAGS = {
    _WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _ORIENTATION, _SAMPLES, _PLANAR, _PALETTE,
    _EXTRA, _FORMAT,
}  # fmt: skip

_BIG = 43
# Types of integers, with their codes in `struct`: byte, short, long, and long of BigTIFF
_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_MAX_ENTRIES = 4096
_MAX_VALUES = 3 * 2**16  # a palette of 16 bits

Values = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TiffDirectory:
    """The first directory. `extra`: kinds of the samples after the grey or colour ones."""

    columns: int
    rows: int
    bits: Values
    compression: int
    photometric: int
    orientation: int
    samples: int
    is_planar: bool
    palette: Values
    extra: Values
    formats: Values
    has_more_pages: bool


def read_directory(data: bytes) -> TiffDirectory:
    """Read the first directory.

    Raises:
        ValueError, struct.error, KeyError: the file is truncated or damaged.
    """
    order = "<" if data.startswith(b"II") else ">"
    (version,) = struct.unpack_from(order + "H", data, 2)
    # Formats of an offset, of the number of entries, and of an entry: tag, type, count, value
    is_big = version == _BIG
    offset_format = order + ("Q" if is_big else "I")
    count_format = order + ("Q" if is_big else "H")
    entry = struct.Struct(order + ("HHQ8s" if is_big else "HHI4s"))

    (position,) = struct.unpack_from(offset_format, data, 8 if is_big else 4)
    (count,) = struct.unpack_from(count_format, data, position)
    if count > _MAX_ENTRIES:
        raise ValueError("too many entries")

    position += struct.calcsize(count_format)
    tags: dict[int, Values] = {}
    for tag, kind, number, value in (
        entry.unpack_from(data, position + index * entry.size) for index in range(count)
    ):
        if tag in _TAGS and tag not in tags:
            tags[tag] = _read_values(data, order, offset_format, kind, number, value)

    (following,) = struct.unpack_from(offset_format, data, position + count * entry.size)
    return _directory(tags, has_more_pages=following != 0)


def _read_values(
    data: bytes, order: str, offset_format: str, kind: int, number: int, value: bytes
) -> Values:
    """Return the values of an entry, which are in it or elsewhere in the file."""
    if kind not in _INTEGERS or not 1 <= number <= _MAX_VALUES:
        raise ValueError("unexpected type or number of values")

    form = f"{order}{number}{_INTEGERS[kind]}"
    if struct.calcsize(form) <= len(value):
        return struct.unpack_from(form, value)
    (offset,) = struct.unpack(offset_format, value)
    return struct.unpack_from(form, data, offset)


def _directory(tags: Mapping[int, Values], *, has_more_pages: bool) -> TiffDirectory:
    """Return the directory with the defaults of TIFF 6.0."""
    return TiffDirectory(
        columns=tags[_WIDTH][0],
        rows=tags[_LENGTH][0],
        bits=tags.get(_BITS, (1,)),
        compression=tags.get(_COMPRESSION, (1,))[0],
        photometric=tags.get(_PHOTOMETRIC, (0,))[0],
        orientation=tags.get(_ORIENTATION, (1,))[0],
        samples=tags.get(_SAMPLES, (1,))[0],
        is_planar=tags.get(_PLANAR, (1,))[0] == 2,  # noqa: PLR2004 - TIFF 6.0, section 8
        palette=tags.get(_PALETTE, ()),
        extra=tags.get(_EXTRA, ()),
        formats=tags.get(_FORMAT, (1,)),
        has_more_pages=has_more_pages,
    )
