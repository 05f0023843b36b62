"""Kinds of TIFF, written by its specification, and kinds that are refused."""

import struct
import zlib
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from service.errors import CorruptImage, SeveralFrames, UnsupportedImage
from service.imaging import decode
from service.records import Pixels

Order = Literal["<", ">"]
Field = tuple[int, int, tuple[int, ...]]  # tag, type (3 short, 4 long) and values

Tags = Mapping[int, tuple[int, ...]]

NO_CHANGES: Tags = {}
REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def written(
    samples: NDArray[Any], changes: Tags = NO_CHANGES, *, order: Order = "<", big: bool = False
) -> bytes:
    """A TIFF of one strip, or of one for each plane; `changes`: values of further tags."""
    rows, columns = samples.shape[:2]
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    is_planar = changes.get(284) == (2,)
    planes = list(np.moveaxis(samples, 2, 0)) if is_planar else [samples]
    strips = [plane.astype(samples.dtype.newbyteorder(order)).tobytes() for plane in planes]
    if changes.get(259) == (8,):
        strips = [zlib.compress(strip) for strip in strips]
    if changes.get(266) == (2,):
        strips = [strip.translate(REVERSED) for strip in strips]

    start = 16 if big else 8
    offsets = [start + sum(map(len, strips[:number])) for number in range(len(strips))]
    fields = {
        256: (4, (columns,)), 257: (4, (rows,)), 258: (3, (8 * samples.itemsize,) * channels),
        259: (3, (1,)), 262: (3, (1 if channels < 3 else 2,)), 273: (4, tuple(offsets)),
        277: (3, (channels,)), 278: (4, (rows,)), 279: (4, tuple(map(len, strips))),
    }  # fmt: skip
    fields |= {tag: (3, values) for tag, values in changes.items()}
    body = b"".join(strips)
    return _file(order, big, body, [(tag, *fields[tag]) for tag in sorted(fields)])


def _file(order: Order, big: bool, body: bytes, fields: list[Field]) -> bytes:
    """The file: header, pixels, directory, and the values that do not fit into it."""
    word = "Q" if big else "I"
    room = 8 if big else 4
    mark = b"II" if order == "<" else b"MM"
    header = mark + (struct.pack(order + "HHH", 43, 8, 0) if big else struct.pack(order + "H", 42))
    directory_at = len(header) + room + len(body)
    count = struct.pack(order + ("Q" if big else "H"), len(fields))
    values_at = directory_at + len(count) + len(fields) * (20 if big else 12) + room

    entries = b""
    tail = b""
    for tag, kind, values in fields:
        packed = struct.pack(f"{order}{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(packed) > room:
            value = struct.pack(order + word, values_at + len(tail))
            tail += packed
        else:
            value = packed.ljust(room, b"\x00")
        entries += struct.pack(order + "HH" + word, tag, kind, len(values)) + value
    start = struct.pack(order + word, directory_at)
    return header + start + body + count + entries + bytes(room) + tail


@pytest.fixture(scope="module")
def deep(breast: Pixels) -> Pixels:
    return (breast[100:260, :120] << 4).astype(np.uint16)


@pytest.fixture(scope="module")
def grey(breast: Pixels) -> NDArray[np.uint8]:
    return (breast[100:260, :120] >> 4).astype(np.uint8)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("fill_order", [1, 2])
@pytest.mark.parametrize("compression", [1, 8])
def test_order_of_bits_and_bytes_does_not_matter(
    deep: Pixels, grey: NDArray[np.uint8], order: Order, fill_order: int, compression: int,
    *, big: bool,
) -> None:  # fmt: skip
    changes = {266: (fill_order,), 259: (compression,)}

    for samples, expected in ((deep, deep), (grey, grey.astype(np.uint16) * 257)):
        data = written(samples, changes, order=order, big=big)
        negative = written(~samples, changes | {262: (0,)}, order=order, big=big)
        assert np.array_equal(decode(data).pixels, expected)
        assert np.array_equal(decode(negative).pixels, expected)


@pytest.mark.parametrize("planar", [1, 2])
@pytest.mark.parametrize("alpha", [(), (2,), (1,), (0,)], ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_equal_channels_and_opaque_alpha_are_read(
    deep: Pixels, planar: int, alpha: tuple[int, ...], channels: int
) -> None:
    planes = [deep] * channels + [np.full_like(deep, 65535)] * len(alpha)
    extra: dict[int, tuple[int, ...]] = {338: alpha} if alpha else {}

    data = written(np.dstack(planes), extra | {284: (planar,)})

    assert np.array_equal(decode(data).pixels, deep)


def test_palette_is_applied(grey: NDArray[np.uint8]) -> None:
    falling = tuple(65535 - 257 * level for level in range(256))
    coloured = (*falling, *falling, *reversed(falling))

    data = written(255 - grey, {262: (3,), 320: 3 * falling})

    assert np.array_equal(decode(data).pixels, grey.astype(np.uint16) * 257)
    with pytest.raises(UnsupportedImage, match="colour"):
        decode(written(255 - grey, {262: (3,), 320: coloured}))


@pytest.mark.parametrize("orientation", [3, 6])
def test_orientation_of_bigtiff_is_applied(deep: Pixels, orientation: int) -> None:
    turned = decode(written(deep, {274: (orientation,)}, big=True)).pixels

    assert np.array_equal(turned, np.rot90(deep, 2 if orientation == 3 else -1))


@pytest.mark.parametrize(
    "changes",
    [
        {339: (3,)}, {339: (2,)}, {258: (12,)}, {258: (32,)}, {258: (1,)},
        {259: (50002,)}, {259: (34712,)}, {259: (4,)}, {259: (7,)},
        {262: (5,)}, {262: (8,)}, {262: (32803,)},
    ],
    ids=str,
)  # fmt: skip
def test_other_encodings_are_unsupported_not_corrupt(deep: Pixels, changes: Tags) -> None:
    for big in (False, True):
        with pytest.raises(UnsupportedImage):
            decode(written(deep, changes, big=big))


def test_transparent_or_coloured_tiff_is_unsupported(deep: Pixels) -> None:
    holes = np.full_like(deep, 65535)
    holes[5, 5] = 0

    for planes, extra in (([deep, holes], (2,)), ([deep, deep, deep // 2, holes | 65535], (2,))):
        with pytest.raises(UnsupportedImage):
            decode(written(np.dstack(planes), {338: extra}))


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize("kept", [0.01, 0.5, 0.99])
def test_truncated_tiff_is_corrupt(
    deep: Pixels, compression: int, kept: float, *, big: bool
) -> None:
    data = written(deep, {259: (compression,)}, big=big)
    strip_cut = data.replace(deep.tobytes(), deep.tobytes()[: int(kept * deep.nbytes)])

    with pytest.raises(CorruptImage):
        decode(data[: int(kept * len(data))])
    if compression == 1:
        with pytest.raises(CorruptImage):
            decode(strip_cut)


def test_second_page_of_bigtiff_is_refused(deep: Pixels) -> None:
    data = written(deep, big=True)

    with pytest.raises(SeveralFrames):
        decode(data[:-8] + struct.pack("<Q", 8))
