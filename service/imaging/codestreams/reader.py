"""Read the header of a compressed image, and make sure that all of its data are there."""

import struct

from service.errors import CorruptImage
from service.imaging.codestreams.codestream import Codestream
from service.imaging.codestreams.jpeg_markers import JPEG_START, read_jpeg
from service.imaging.codestreams.tile_parts import read_jpeg2000

DAMAGED = "The pixel data of the image are truncated or damaged."


def read_codestream(data: bytes, damage: str = DAMAGED) -> Codestream:
    """Read the markers of a JPEG, JPEG-LS or JPEG 2000 image.

    Padding after the image is skipped, and an end marker that is missing is added if all data are
    there. JPEG decoders fill missing parts with grey. Truncated images are therefore refused here.

    Raises:
        CorruptImage: the data are truncated, or of another family, with `damage` as its message.
        UnsupportedImage: a coding process that no decoder has.
    """
    try:
        return read_jpeg(data) if data.startswith(JPEG_START) else read_jpeg2000(data)
    except (ValueError, struct.error, IndexError) as error:
        raise CorruptImage(damage) from error
