"""Decode image files. The first bytes determine the format; name and content type are ignored."""

from typing import Protocol

from service.errors import EmptyImage, UnsupportedFormat
from service.imaging.dicom.decoder import DicomImage
from service.imaging.dicom.opening import has_prefix, is_bare_dataset
from service.imaging.foreign_formats import name_format
from service.imaging.limits import Limits
from service.imaging.raster import RasterFormat, RasterImage
from service.records import Mammogram, Samples

_MAGIC: dict[bytes, RasterFormat] = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"II*\x00": "tiff",
    b"MM\x00*": "tiff",
    b"II+\x00": "tiff",  # BigTIFF
    b"MM\x00+": "tiff",
}

_DEFAULT = Limits()


class OpenedImage(Protocol):
    """An image file whose header was read. It keeps the work that several resolutions share."""

    def decode(
        self, min_size: tuple[float, float] | None = None, *, with_signal: bool = True
    ) -> Mammogram:
        """Decode the mammogram.

        `min_size`: rows and columns that are sufficient. The file is then reduced to the lowest
        resolution that has at least as many, in every format and transfer syntax alike. If it is
        None, the file is decoded in full. `with_signal`: False for a picture, which does not need
        the values before the VOI transform. `signal` is then None.

        Raises:
            ImageError: any subclass but NoBreast.
        """
        ...

    def samples(self) -> Samples:
        """Decode the file in full, and return its values before the VOI transform.

        Raises:
            ImageError: any subclass but NoBreast.
        """
        ...


def decode(
    data: bytes, limits: Limits = _DEFAULT, min_size: tuple[float, float] | None = None
) -> Mammogram:
    """Decode the mammogram in a DICOM, PNG, JPEG or TIFF file; see `OpenedImage`."""
    return open_image(data, limits).decode(min_size)


def open_image(data: bytes, limits: Limits) -> OpenedImage:
    """Read the header of a DICOM, PNG, JPEG or TIFF file.

    Raises:
        ImageError: any subclass but NoBreast.
    """
    if not data:
        raise EmptyImage("The file is empty.")

    # First, as the 128 bytes before DICM may be another format's header (DICOM PS3.10 7.1).
    if has_prefix(data):
        return DicomImage(data, limits)

    for magic, raster_format in _MAGIC.items():
        if data.startswith(magic):
            return RasterImage(data, raster_format, limits)

    if is_bare_dataset(data, limits):
        return DicomImage(data, limits)

    name = name_format(data)
    kind = f", but {name}" if name else ""
    raise UnsupportedFormat(f"The file is not DICOM, PNG, JPEG or TIFF{kind}.")
