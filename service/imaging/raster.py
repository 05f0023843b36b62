"""Decode PNG, JPEG and TIFF to greyscale.

Pillow's readers are called by name. `Image.open` would try further formats, and would warn of large
images by a limit that belongs to the process.
"""

from io import BytesIO
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL.ExifTags import Base
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    MM,
    OPEN_INFO,
    PHOTOMETRIC_INTERPRETATION,
    TiffImageFile,
)

from service import geometry
from service.errors import SeveralFrames, UnsupportedImage
from service.imaging.library_errors import as_corrupt_image, silence_warnings
from service.imaging.limits import Limits
from service.imaging.polarity import INVERTED, is_negative
from service.imaging.reduction import from_reduced, reduce_resolution
from service.records import WHITE, ImageFacts, Mammogram, Pixels

RasterFormat = Literal["png", "jpeg", "tiff"]

_Samples = NDArray[np.unsignedinteger[Any]]

_READERS: dict[RasterFormat, type[ImageFile]] = {
    "png": PngImageFile,
    "jpeg": JpegImageFile,
    "tiff": TiffImageFile,
}
_WHITE_IS_ZERO = 0

# Pillow reads 16-bit TIFFs in which white is zero only if they are little-endian. Add big-endian.
OPEN_INFO.setdefault((MM, _WHITE_IS_ZERO, (1,), 1, (16,), ()), ("I;16B", "I;16B"))

# Share of the range of 16 bits: values that span less come from a file of fewer bits.
_MIN_SPAN = 0.5


def decode_raster(
    data: bytes, raster_format: RasterFormat, limits: Limits, min_size: tuple[float, float] | None
) -> Mammogram:
    """Decode a file of that format; `min_size` and ImageError as in `service.imaging.decoding`."""
    samples = _read(data, raster_format, limits)
    pixels = _scale(samples)
    inverted = is_negative(pixels)

    rows, columns = pixels.shape
    halvings = 0 if min_size is None else geometry.max_halvings(rows, columns, min_size)
    positive = WHITE - pixels if inverted else pixels
    return Mammogram(
        pixels=np.asarray(reduce_resolution(positive, halvings, (0, WHITE)), np.uint16),
        facts=ImageFacts(
            format=raster_format, rows=rows, columns=columns, bits=8 * samples.itemsize
        ),
        warnings=(INVERTED,) if inverted else (),
        to_source=from_reduced(halvings),
    )


def _read(data: bytes, raster_format: RasterFormat, limits: Limits) -> _Samples:
    """Return the grey values: uint8 or uint16 [rows, columns], 0 black, upright."""
    damage = f"The {raster_format.upper()} file is truncated or damaged."

    # Header. The EXIF data of a TIFF are read here. Otherwise they are read with the pixels, where
    # warnings are not silenced.
    with silence_warnings(), as_corrupt_image(damage):
        image = _READERS[raster_format](BytesIO(data))
        has_more_pages = _has_more_pages(image)
        if isinstance(image, TiffImageFile):
            image.getexif()

    # Checks, before pixels are decoded.
    columns, rows = image.size
    limits.check(rows, columns)
    if has_more_pages:
        raise SeveralFrames("The file has several pages or frames. Send one mammogram.")
    _require_plain_samples(image)

    # Pixels, and the orientation, which may follow them in the file.
    with as_corrupt_image(damage):
        samples = np.asarray(image)
    with silence_warnings(), as_corrupt_image(damage):
        orientation = image.getexif().get(Base.Orientation)

    grey = _upright(_one_channel(samples), orientation)
    complement: _Samples = ~grey
    return complement if _is_white_zero(image) else grey


def _scale(samples: _Samples) -> Pixels:
    """Scale the samples to 0 black .. 65535 white.

    8 bits are scaled by their type. 16 bits that hold fewer, such as the 12 of a detector, are
    scaled by the range of their values.
    """
    if samples.dtype == np.uint8:
        return samples * np.uint16(WHITE // np.iinfo(np.uint8).max)

    lowest = int(samples.min())
    span = int(samples.max()) - lowest
    if span == 0 or span >= _MIN_SPAN * WHITE:
        return samples.astype(np.uint16, copy=False)

    unit = np.clip((np.arange(WHITE + 1) - lowest) / span, 0, 1)
    table = np.rint(unit * WHITE).astype(np.uint16)
    return table[samples]


def _has_more_pages(image: ImageFile) -> bool:
    """Return whether there is a second page.

    Counting the pages could take long, because a file may declare millions.
    """
    try:
        image.seek(1)
    except EOFError:
        return False
    return True


def _require_plain_samples(image: ImageFile) -> None:
    """Raise UnsupportedImage unless samples are 8-bit or 16-bit grey, or 8-bit RGB."""
    if image.mode not in {"L", "I;16", "I;16B", "RGB"} or "transparency" in image.info:
        raise UnsupportedImage("The image is not plain greyscale of 8 or 16 bits.")

    # Pillow truncates 16 bits of colour to 8, and reads 12 bits of grey as 16.
    if image.mode == "RGB" and any("16" in str(tile.args) for tile in image.tile):
        raise UnsupportedImage("The image has three 16-bit channels. Send it as greyscale.")
    if isinstance(image, TiffImageFile) and not set(image.tag_v2.get(BITSPERSAMPLE, ())) <= {8, 16}:
        raise UnsupportedImage("The image does not have 8 or 16 bits per sample.")


def _is_white_zero(image: ImageFile) -> bool:
    """Return whether the samples must be inverted: white is zero, and Pillow has not done it.

    Pillow inverts TIFFs of 8 bits, but not of 16 bits.
    """
    return (
        isinstance(image, TiffImageFile)
        and image.mode.startswith("I;16")
        and image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO
    )


def _one_channel(samples: _Samples) -> _Samples:
    """Return the grey channel, or one of three equal colour channels."""
    if samples.ndim == 2:  # noqa: PLR2004 - rows and columns
        return samples

    red: _Samples
    red, green, blue = np.moveaxis(samples, 2, 0)
    if not (np.array_equal(red, green) and np.array_equal(red, blue)):
        raise UnsupportedImage("The image is in colour. A mammogram is greyscale.")
    return red


def _upright(grey: _Samples, orientation: object) -> _Samples:
    """Apply the EXIF orientation, as viewers do. Pillow has already turned a TIFF."""
    if orientation in {5, 6, 7, 8}:
        grey = grey.T
    if orientation in {2, 3, 6, 7}:
        grey = grey[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        grey = grey[::-1]
    return np.ascontiguousarray(grey)
