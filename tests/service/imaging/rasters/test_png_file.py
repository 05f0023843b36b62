"""Kinds of PNG that hold the same grey values, and kinds that hold others."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from service.errors import CorruptImage, UnsupportedImage
from service.imaging import decode
from service.records import Pixels

Grey = NDArray[np.uint8]


def saved(image: Image.Image, **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, "PNG", **options)
    return stream.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def written(samples: NDArray[Any], depth: int, colour: int, transparent: bytes) -> bytes:
    """A PNG written by its specification, with a tRNS chunk."""
    rows, columns = samples.shape[:2]
    header = struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, 0)
    lines = b"".join(b"\x00" + line.astype(f">u{depth // 8}").tobytes() for line in samples)
    chunks = [(b"IHDR", header), (b"tRNS", transparent), (b"IDAT", zlib.compress(lines))]
    body = b"".join(chunk(kind, content) for kind, content in [*chunks, (b"IEND", b"")])
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.fixture(scope="module")
def grey(breast: Pixels) -> Grey:
    """The breast in 8 bits, brightest at 200."""
    return np.asarray(np.minimum(breast >> 4, 200), np.uint8)


@pytest.fixture(scope="module")
def deep(breast: Pixels) -> Pixels:
    return (breast << 4).astype(np.uint16)


OPAQUE = 255
HOLES = np.full((420, 300), OPAQUE, np.uint8)
HOLES[7, 7] = 254

SAME: dict[str, Callable[[Grey], bytes]] = {
    "palette": lambda grey: saved(Image.fromarray(grey).convert("P")),
    "opaque palette": lambda grey: saved(
        Image.fromarray(grey).convert("P"), transparency=b"\xff" * 9
    ),
    "palette with unused transparency": lambda grey: saved(
        Image.fromarray(grey).convert("P"), transparency=250
    ),
    "unused transparency": lambda grey: saved(Image.fromarray(grey), transparency=250),
    "unused transparent colour": lambda grey: saved(
        Image.fromarray(np.dstack([grey] * 3)), transparency=(1, 2, 3)
    ),
    "alpha": lambda grey: saved(
        Image.merge("LA", [Image.fromarray(grey), Image.new("L", grey.shape[::-1], OPAQUE)])
    ),
    "colour with alpha": lambda grey: saved(Image.fromarray(grey).convert("RGBA")),
}


@pytest.mark.parametrize("kind", SAME)
def test_opaque_grey_pictures_are_read(grey: Grey, kind: str) -> None:
    mammogram = decode(SAME[kind](grey))

    assert np.array_equal(mammogram.pixels, grey.astype(np.uint16) * 257)
    assert mammogram.facts.bits == 8


OTHERS: dict[str, Callable[[Grey], bytes]] = {
    "transparent palette": lambda grey: saved(Image.fromarray(grey).convert("P"), transparency=0),
    "half transparent palette": lambda grey: saved(
        Image.fromarray(grey).convert("P"), transparency=b"\xfe"
    ),
    "transparent grey": lambda grey: saved(Image.fromarray(grey), transparency=0),
    "transparent colour": lambda grey: saved(
        Image.fromarray(np.dstack([grey] * 3)), transparency=(0, 0, 0)
    ),
    "alpha": lambda grey: saved(Image.merge("LA", [Image.fromarray(grey), Image.fromarray(HOLES)])),
    "coloured palette": lambda grey: saved(
        Image.fromarray(np.dstack([grey, grey, grey // 2])).quantize(32)
    ),
    "colour with alpha": lambda grey: saved(
        Image.merge("RGBA", [Image.fromarray(plane) for plane in (grey, grey, grey // 2, HOLES)])
    ),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_colour_and_transparency_are_unsupported(grey: Grey, kind: str) -> None:
    with pytest.raises(UnsupportedImage):
        decode(OTHERS[kind](grey))


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_channels_of_sixteen_bits_keep_them(deep: Pixels, channels: int) -> None:
    planes = [deep] * (channels - 1) + [np.full_like(deep, 65535) if channels != 3 else deep]
    data = bytes(imagecodecs.png_encode(np.dstack(planes)))

    mammogram = decode(data)

    assert np.array_equal(mammogram.pixels, deep)
    assert mammogram.facts.bits == 16
    with pytest.raises(CorruptImage):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("level", "is_read"), [(b"\x00\x01", True), (b"\x00\x00", False)], ids=["unused", "black"]
)
def test_transparent_level_of_sixteen_bits_counts(
    deep: Pixels, level: bytes, *, is_read: bool
) -> None:
    files = [written(deep, 16, 0, level), written(np.dstack([deep] * 3), 16, 2, 3 * level)]

    for data in files:
        if is_read:
            assert np.array_equal(decode(data).pixels, deep)
        else:
            with pytest.raises(UnsupportedImage, match="transparent"):
                decode(data)
