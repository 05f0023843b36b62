"""Read TIFF and BigTIFF files by libtiff: strips and tiles, planes, any order of bits and bytes."""

import imagecodecs
import numpy as np

from service.errors import CorruptImage, SeveralFrames, UnsupportedImage
from service.imaging.library_errors import as_corrupt_image
from service.imaging.limits import Limits
from service.imaging.rasters.samples import Raster, Samples, grey_channel, through_palette
from service.imaging.rasters.tiff_directory import TiffDirectory, read_directory

_DAMAGE = "The TIFF file is truncated or damaged."

_UNSIGNED = 1
_WHITE_IS_ZERO = 0
_BLACK_IS_ZERO = 1
_RGB = 2
_PALETTE = 3
_YCBCR = 6
_JPEG = 7
# Number of samples that are grey or colour, by photometric interpretation
_CHANNELS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1, _YCBCR: 3}
# None, LZW, JPEG, Deflate, PackBits, Deflate by its old number, LERC, LZMA, Zstandard
_COMPRESSIONS = {1, 5, _JPEG, 8, 32773, 32946, 34887, 34925, 50000}
_UNSPECIFIED = 0  # an extra sample that is no alpha


def read_tiff(data: bytes, limits: Limits) -> Raster:
    """Return the grey values of a file of one page that is grey and opaque."""
    with as_corrupt_image(_DAMAGE):
        directory = read_directory(data)

    # Checks, before pixels are decoded.
    limits.check(directory.rows, directory.columns)
    if directory.has_more_pages:
        raise SeveralFrames("The file has several pages or frames. Send one mammogram.")
    _require_supported(directory)

    with as_corrupt_image(_DAMAGE):
        samples = imagecodecs.tiff_decode(data)
    if directory.is_planar and samples.ndim > 2:  # noqa: PLR2004 - rows and columns
        samples = np.moveaxis(samples, 0, 2)
    if samples.shape[:2] != (directory.rows, directory.columns):
        raise CorruptImage(_DAMAGE)

    grey = _grey(samples, directory)
    return Raster(grey, 8 * grey.itemsize, directory.orientation)


def _require_supported(directory: TiffDirectory) -> None:
    """Refuse by its tags a file that is sound, but that is not read."""
    if directory.compression not in _COMPRESSIONS:
        raise UnsupportedImage("The TIFF file has a compression that is not supported.")
    if set(directory.formats) != {_UNSIGNED}:
        raise UnsupportedImage("The TIFF file has signed or floating-point samples.")
    if not set(directory.bits) <= {8, 16} or len(set(directory.bits)) != 1:
        raise UnsupportedImage("The image does not have 8 or 16 bits per sample.")
    if directory.compression == _JPEG and directory.bits[0] != 8:  # noqa: PLR2004 - a byte
        raise UnsupportedImage("The TIFF file holds a JPEG image of more than 8 bits.")

    channels = _CHANNELS.get(directory.photometric)
    is_coded_colour = directory.photometric == _YCBCR and directory.compression != _JPEG
    if channels is None or is_coded_colour:
        raise UnsupportedImage("The image is in colour. A mammogram is greyscale.")
    if directory.samples < channels:
        raise CorruptImage(_DAMAGE)
    if directory.samples > channels + 1:
        raise UnsupportedImage("The image has several channels. A mammogram is greyscale.")


def _grey(samples: Samples, directory: TiffDirectory) -> Samples:
    """Return the grey values, 0 black, of the channels or through the palette."""
    has_extra = samples.ndim > 2 and directory.samples > _CHANNELS[directory.photometric]  # noqa: PLR2004
    if has_extra and directory.extra[:1] == (_UNSPECIFIED,):
        samples = samples[..., :-1]
        has_extra = False
    grey = grey_channel(samples, has_alpha=has_extra)

    if directory.photometric == _PALETTE:
        with as_corrupt_image(_DAMAGE):
            palette = np.array(directory.palette, np.uint16).reshape(3, -1).T
            return through_palette(grey, (palette >> 8).astype(np.uint8))
    complement: Samples = ~grey
    return complement if directory.photometric == _WHITE_IS_ZERO else grey
