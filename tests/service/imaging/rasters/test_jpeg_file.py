"""Kinds of JPEG beside the baseline of 8 bits."""

import struct
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

STEP = 65535 / 4095

LOSSLESS: dict[str, Callable[[NDArray[Any]], bytes]] = {
    "lossless": lambda v: bytes(imagecodecs.jpeg8_encode(v, lossless=True, bitspersample=12)),
    "lossless in colour": lambda v: bytes(
        imagecodecs.jpeg8_encode(np.dstack([v] * 3), lossless=True, bitspersample=12)
    ),
}


@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_jpeg_of_twelve_bits_is_exact(breast: Pixels, kind: str) -> None:
    mammogram = decode(LOSSLESS[kind](breast))

    assert np.array_equal(mammogram.pixels, np.rint(breast * STEP))
    assert mammogram.facts.bits == 12


@pytest.mark.parametrize("channels", [1, 3])
def test_extended_jpeg_of_twelve_bits_is_close(breast: Pixels, channels: int) -> None:
    samples = breast if channels == 1 else np.dstack([breast] * channels)
    data = bytes(imagecodecs.jpeg8_encode(samples, level=95, bitspersample=12))

    mammogram = decode(data)

    assert np.abs(mammogram.pixels / STEP - breast).max() < 30
    assert mammogram.facts.bits == 12
    with pytest.raises(CorruptImage):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize("shift", [0, 4])
def test_jpeg_ls_file_is_read(breast: Pixels, shift: int) -> None:
    values = (breast << shift).astype(np.uint16)
    png = BytesIO()
    Image.fromarray(values).save(png, "PNG")

    mammogram = decode(bytes(imagecodecs.jpegls_encode(values)))

    assert np.array_equal(mammogram.pixels, decode(png.getvalue()).pixels)


def test_orientation_of_twelve_bits_is_applied(breast: Pixels) -> None:
    data = LOSSLESS["lossless"](breast)
    exif = Image.Exif()
    exif[0x0112] = 6
    content = exif.tobytes()
    segment = b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content

    turned = decode(data[:2] + segment + data[2:]).pixels

    assert np.array_equal(turned, np.rot90(decode(data).pixels, -1))


def test_missing_end_is_added_where_all_is_there(breast: Pixels) -> None:
    stream = BytesIO()
    Image.fromarray((breast >> 4).astype(np.uint8)).save(stream, "JPEG", quality=95)
    data = stream.getvalue()

    assert np.array_equal(decode(data[:-2]).pixels, decode(data).pixels)
    for truncated in (data[:-20], data[:-20] + bytes(500)):
        with pytest.raises(CorruptImage):
            decode(truncated)


def test_rare_jpeg_is_unsupported_and_not_corrupt(breast: Pixels) -> None:
    stream = BytesIO()
    grey = Image.fromarray((breast >> 4).astype(np.uint8))
    grey.save(stream, "JPEG")
    baseline = stream.getvalue()
    frame = baseline.index(b"\xff\xc0")
    cmyk = BytesIO()
    grey.convert("CMYK").save(cmyk, "JPEG")

    for data in (
        baseline[:frame] + b"\xff\xc5" + baseline[frame + 2 :],  # hierarchical
        baseline[: frame + 4] + b"\x0a" + baseline[frame + 5 :],  # 10 bits
        baseline[: frame + 5] + b"\x00\x00" + baseline[frame + 7 :],  # the rows come at the end
        cmyk.getvalue(),
    ):
        with pytest.raises(UnsupportedImage):
            decode(data)
