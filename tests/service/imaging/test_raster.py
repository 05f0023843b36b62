import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from service.errors import CorruptImage, TooManyPixels, UnsupportedImage
from service.imaging import Limits, decode
from service.records import Pixels


def _save(image: NDArray[Any] | Image.Image, file_format: str, **options: Any) -> bytes:
    stream = BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(
        stream, file_format, **options
    )
    return stream.getvalue()


def _tiff(
    samples: NDArray[Any], photometric: int, order: Literal["<", ">"], orientation: int = 1
) -> bytes:
    """A TIFF of one uncompressed strip, written according to the TIFF 6.0 specification."""
    rows, columns = samples.shape
    bits = 8 * samples.dtype.itemsize
    strip = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    fields = [
        (256, 4, columns),
        (257, 4, rows),
        (258, 3, bits),
        (259, 3, 1),
        (262, 3, photometric),
        (273, 4, 8),
        (274, 3, orientation),
        (277, 3, 1),
        (278, 4, rows),
        (279, 4, len(strip)),
    ]
    entry = {3: "HHIHxx", 4: "HHII"}
    directory = b"".join(
        struct.pack(order + entry[kind], tag, kind, 1, value) for tag, kind, value in fields
    )
    header = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8 + len(strip))
    return header + strip + struct.pack(order + "H", len(fields)) + directory + bytes(4)


@pytest.fixture(scope="session")
def breast16(breast: Pixels) -> Pixels:
    """The breast in values that use 16 bits."""
    return (breast << 4).astype(np.uint16)


@pytest.fixture(scope="session")
def grey8(breast: Pixels) -> NDArray[np.uint8]:
    return (breast >> 4).astype(np.uint8)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_eight_bits_are_scaled_to_sixteen(grey8: NDArray[np.uint8], file_format: str) -> None:
    mammogram = decode(_save(grey8, file_format))

    assert np.array_equal(mammogram.pixels, grey8.astype(np.uint16) * 257)
    assert mammogram.facts.format == file_format.lower()
    assert (mammogram.facts.rows, mammogram.facts.columns, mammogram.facts.bits) == (420, 300, 8)
    assert mammogram.warnings == ()


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_sixteen_bits_are_unchanged(breast16: Pixels, file_format: str) -> None:
    mammogram = decode(_save(breast16, file_format))

    assert np.array_equal(mammogram.pixels, breast16)
    assert mammogram.facts.bits == 16


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_tiff_compressions_are_read(breast16: Pixels, compression: str | None) -> None:
    assert np.array_equal(decode(_save(breast16, "TIFF", compression=compression)).pixels, breast16)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [8, 16])
def test_white_is_zero_tiff_matches_its_twin(
    breast16: Pixels, bits: int, order: Literal["<", ">"]
) -> None:
    """The twin has black as zero."""
    samples = breast16 if bits == 16 else (breast16 >> 8).astype(np.uint8)
    expected = breast16 if bits == 16 else samples.astype(np.uint16) * 257

    assert np.array_equal(decode(_tiff(samples, 1, order)).pixels, expected)
    assert np.array_equal(decode(_tiff(~samples, 0, order)).pixels, expected)


def test_jpeg_is_close_to_the_saved_image(grey8: NDArray[np.uint8]) -> None:
    mammogram = decode(_save(grey8, "JPEG", quality=95))

    assert np.abs(mammogram.pixels / 257 - grey8).mean() < 2
    assert mammogram.facts.format == "jpeg"


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "TIFF"])
def test_three_equal_channels_are_grey(grey8: NDArray[np.uint8], file_format: str) -> None:
    colour = decode(_save(np.dstack([grey8] * 3), file_format))
    grey = decode(_save(grey8, file_format))

    assert np.abs(colour.pixels.astype(int) - grey.pixels).max() <= (
        257 if file_format == "JPEG" else 0
    )


# The upright image for each EXIF orientation, from the stored image.
_UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(np.transpose(a), 2),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", _UPRIGHT)
def test_exif_orientation_is_applied(breast16: Pixels, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    expected = _UPRIGHT[orientation](breast16)

    for data in (_save(breast16, "PNG", exif=exif), _tiff(breast16, 1, "<", orientation)):
        mammogram = decode(data)
        assert np.array_equal(mammogram.pixels, expected)
        assert (mammogram.facts.rows, mammogram.facts.columns) == expected.shape


def test_negative_is_inverted_with_a_warning(grey8: NDArray[np.uint8]) -> None:
    positive = decode(_save(grey8, "PNG"))
    negative = decode(_save(255 - grey8, "PNG"))

    assert np.array_equal(negative.pixels, positive.pixels)
    assert [warning.code for warning in negative.warnings] == ["inverted"]


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_twelve_of_sixteen_bits_are_stretched(breast: Pixels, file_format: str) -> None:
    expected = breast * (65535 / int(breast.max()))

    positive = decode(_save(breast, file_format))
    negative = decode(_save(4095 - breast, file_format))

    assert np.abs(positive.pixels - expected).max() <= 0.5
    assert np.array_equal(negative.pixels, positive.pixels)
    assert positive.warnings == ()
    assert [warning.code for warning in negative.warnings] == ["inverted"]


def test_even_image_of_sixteen_bits_is_unchanged() -> None:
    even = np.full((40, 30), 700, np.uint16)

    assert np.array_equal(decode(_save(even, "PNG")).pixels, even)


@pytest.mark.parametrize(
    "image",
    [
        np.dstack(
            [np.zeros((8, 8), np.uint8), np.full((8, 8), 9, np.uint8), np.zeros((8, 8), np.uint8)]
        ),
        Image.new("1", (8, 8)),
        Image.fromarray(
            np.dstack(
                [np.arange(64, dtype=np.uint8).reshape(8, 8)] * 2 + [np.zeros((8, 8), np.uint8)]
            )
        ).quantize(8),
        Image.new("LA", (8, 8)),
        Image.new("RGBA", (8, 8)),
    ],
    ids=["colour", "one bit", "palette", "grey with alpha", "colour with alpha"],
)
def test_other_than_plain_greyscale_is_refused(image: NDArray[np.uint8] | Image.Image) -> None:
    with pytest.raises(UnsupportedImage):
        decode(_save(image, "PNG"))


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_several_pages_are_refused(grey8: NDArray[np.uint8], file_format: str) -> None:
    with pytest.raises(UnsupportedImage, match="pages"):
        decode(
            _save(grey8, file_format, save_all=True, append_images=[Image.fromarray(255 - grey8)])
        )


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("kept", [0.05, 0.5, 0.95])
def test_truncated_file_is_corrupt(grey8: NDArray[np.uint8], file_format: str, kept: float) -> None:
    data = _save(grey8, file_format)
    with pytest.raises(CorruptImage):
        decode(data[: int(kept * len(data))])


def test_size_is_checked_before_pixels_are_decoded() -> None:
    # 40000 x 40000: beyond the size at which Pillow itself raises an error.
    size = struct.pack(">IIBBBBB", 40000, 40000, 16, 0, 0, 0, 0)
    chunk = b"IHDR" + size
    header = (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    )
    empty = struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))

    with pytest.raises(TooManyPixels, match="1600000000"):
        decode(header + empty)


def test_size_beyond_pillows_limit_does_not_warn() -> None:
    # 10000 x 10000: beyond the size at which Pillow warns.
    data = _save(Image.new("L", (10000, 10000)), "PNG", compress_level=1)

    with pytest.raises(TooManyPixels):
        decode(data)
    assert decode(data, Limits(max_pixels=100_000_000)).pixels.shape == (10000, 10000)
