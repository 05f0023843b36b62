"""Grey values of a raster file, from its channels or its palette."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.errors import UnsupportedImage

Samples = NDArray[np.unsignedinteger[Any]]

_IN_COLOUR = "The image is in colour. A mammogram is greyscale."
_TRANSPARENT = "The image is transparent in places. Send it without an alpha channel."


@dataclass(frozen=True, slots=True)
class Raster:
    """Grey values as stored: uint8 or uint16 [rows, columns], 0 black.

    `bits`: depth that the file declares. `orientation`: the tag of EXIF and TIFF, 1 for upright,
    None if the file has none.
    """

    grey: Samples
    bits: int
    orientation: object = None


def grey_channel(samples: Samples, *, has_alpha: bool) -> Samples:
    """Return the grey channel of [rows, columns] or [rows, columns, channels].

    Raises:
        UnsupportedImage: colour channels differ, or the last channel, alpha, is not opaque.
    """
    if samples.ndim == 2:  # noqa: PLR2004 - rows and columns
        return samples

    channels = list(np.moveaxis(samples, 2, 0))
    if has_alpha and (channels.pop() != np.iinfo(samples.dtype).max).any():
        raise UnsupportedImage(_TRANSPARENT)

    grey: Samples = channels[0]
    if not all(np.array_equal(grey, channel) for channel in channels[1:]):
        raise UnsupportedImage(_IN_COLOUR)
    return grey


def through_palette(indices: Samples, palette: NDArray[np.uint8], alpha: bytes = b"") -> Samples:
    """Return the grey values of indices into a palette [entries, red green blue].

    `alpha`: opacity of the first entries. The others are opaque. Only entries that occur count.

    Raises:
        UnsupportedImage: a colour that is not grey, or not opaque.
        IndexError: an index is not in the palette.
    """
    used = np.unique(indices)
    if not (palette[used] == palette[used][:, :1]).all():
        raise UnsupportedImage(_IN_COLOUR)
    require_opaque(all(alpha[index : index + 1] in {b"", b"\xff"} for index in used.tolist()))
    return palette[:, 0][indices]


def require_opaque(is_opaque: bool) -> None:  # noqa: FBT001 - the only argument
    """Raise UnsupportedImage unless the image is opaque."""
    if not is_opaque:
        raise UnsupportedImage(_TRANSPARENT)
