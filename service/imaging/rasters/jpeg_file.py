"""Read JPEG files of 8 bits by Pillow, and those of more bits and JPEG-LS by imagecodecs."""

from io import BytesIO

import imagecodecs
import numpy as np
from PIL.ExifTags import Base
from PIL.Image import Exif
from PIL.JpegImagePlugin import JpegImageFile

from service.errors import UnsupportedImage
from service.imaging.codestreams.codestream import Codestream
from service.imaging.codestreams.jpeg_markers import read_exif
from service.imaging.codestreams.reader import read_codestream
from service.imaging.library_errors import as_corrupt_image, silence_warnings
from service.imaging.limits import Limits
from service.imaging.rasters.samples import Raster, Samples, grey_channel

_DAMAGE = "The JPEG file is truncated or damaged."
_GREY_OR_COLOUR = {1, 3}


def read_jpeg_file(data: bytes, limits: Limits) -> Raster:
    """Return the grey values of a greyscale image, or of one with equal channels."""
    codestream = read_codestream(data, _DAMAGE)
    limits.check(codestream.rows, codestream.columns)
    if codestream.components not in _GREY_OR_COLOUR:
        raise UnsupportedImage("The image is in colour. A mammogram is greyscale.")

    samples, orientation = _decode(codestream)
    return Raster(grey_channel(samples, has_alpha=False), codestream.bits, orientation)


def _decode(codestream: Codestream) -> tuple[Samples, object]:
    """Return the channels and the orientation. Pillow has neither other depths nor JPEG-LS."""
    data = codestream.data
    if codestream.family == "JPEG" and codestream.bits == 8:  # noqa: PLR2004 - a byte
        with silence_warnings(), as_corrupt_image(_DAMAGE):
            image = JpegImageFile(BytesIO(data))
            orientation = image.getexif().get(Base.Orientation)
        with as_corrupt_image(_DAMAGE):
            return np.asarray(image), orientation

    decoder = (
        imagecodecs.jpegls_decode if codestream.family == "JPEG-LS" else imagecodecs.jpeg8_decode
    )
    with silence_warnings(), as_corrupt_image(_DAMAGE):
        exif = Exif()
        exif.load(read_exif(data))
    with as_corrupt_image(_DAMAGE):
        return decoder(data), exif.get(Base.Orientation)
