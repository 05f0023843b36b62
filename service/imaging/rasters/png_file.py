"""Read PNG files by Pillow, and those with several channels of 16 bits by libpng."""

from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL.ExifTags import Base
from PIL.PngImagePlugin import PngImageFile

from service.errors import SeveralFrames, UnsupportedImage
from service.imaging.library_errors import as_corrupt_image, silence_warnings
from service.imaging.limits import Limits
from service.imaging.rasters.samples import (
    Raster,
    Samples,
    grey_channel,
    require_opaque,
    through_palette,
)

_DAMAGE = "The PNG file is truncated or damaged."
_BLACK_OR_WHITE = "1"


def read_png(data: bytes, limits: Limits) -> Raster:
    """Return the grey values of a file that is grey and opaque, whatever its kind."""
    with silence_warnings(), as_corrupt_image(_DAMAGE):
        image = PngImageFile(BytesIO(data))

    # Checks, before pixels are decoded.
    columns, rows = image.size
    limits.check(rows, columns)
    if image.is_animated:
        raise SeveralFrames("The file has several pages or frames. Send one mammogram.")
    if image.mode == _BLACK_OR_WHITE:
        raise UnsupportedImage("The image has black and white only, and no greys.")

    # Pixels, and the orientation, which may follow them in the file.
    is_deep = any("16" in str(tile.args) for tile in image.tile)
    with as_corrupt_image(_DAMAGE):
        samples: Samples = np.asarray(image)
    with silence_warnings(), as_corrupt_image(_DAMAGE):
        orientation = image.getexif().get(Base.Orientation)
    # Pillow truncates channels of 16 bits to 8.
    if is_deep and samples.dtype == np.uint8:
        with as_corrupt_image(_DAMAGE):
            samples = imagecodecs.png_decode(data)

    grey = _grey(image, samples)
    return Raster(grey, 8 * grey.itemsize, orientation)


def _grey(image: PngImageFile, samples: Samples) -> Samples:
    """Return the grey values, if no pixel is transparent."""
    transparent: Any = image.info.get("transparency")

    if image.mode == "P":
        with as_corrupt_image(_DAMAGE):
            palette = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
            alpha = transparent if isinstance(transparent, bytes) else _alpha(transparent)
            return through_palette(samples, palette, alpha)

    has_alpha = samples.ndim > 2 and samples.shape[2] in {2, 4}  # noqa: PLR2004 - with rows, columns
    grey = grey_channel(samples, has_alpha=has_alpha)
    if transparent is not None and not has_alpha:
        require_opaque(not _occurs(transparent, grey))
    return grey


def _alpha(transparent: int | None) -> bytes:
    """Return the opacities of palette entries, of which that one is transparent."""
    return b"" if transparent is None else b"\xff" * transparent + b"\x00"


def _occurs(colour: int | tuple[int, ...], grey: NDArray[Any]) -> bool:
    """Return whether a grey image has the grey or the colour."""
    levels = {colour} if isinstance(colour, int) else set(colour)
    return len(levels) == 1 and bool((grey == levels.pop()).any())
