"""Errors of the caller's file."""

from collections.abc import Sequence

from service.errors.base import MammolensError


class ImageError(MammolensError):
    """The file cannot be read as a mammogram."""


class EmptyImage(ImageError):
    """The file has no bytes."""

    slug = "empty-image"
    title = "Empty file"
    remedy = "Send the whole file. Check that it was read before it was sent."


class UnsupportedFormat(ImageError):
    """The file is not DICOM, PNG, JPEG or TIFF."""

    slug = "unsupported-format"
    title = "Unsupported file format"
    remedy = "Send a DICOM, PNG, JPEG or TIFF file."


class UnsupportedImage(ImageError):
    """The format is supported, but not this encoding: colour, transparency, an unusual depth."""

    slug = "unsupported-image"
    title = "Unsupported image encoding"
    remedy = "Send one greyscale frame of 8 or 16 bits."


class UnsupportedSyntax(UnsupportedImage):
    """The DICOM transfer syntax has no decoder."""

    slug = "unsupported-transfer-syntax"
    title = "Unsupported transfer syntax"
    remedy = "Send the image in one of the available transfer syntaxes."

    def __init__(self, name: str, available: Sequence[str]) -> None:
        detail = f"The transfer syntax {name} is unsupported."
        super().__init__(detail, available_transfer_syntaxes=tuple(available))


class SeveralFrames(UnsupportedImage):
    """The file has more than one frame or page."""

    slug = "several-frames"
    title = "More than one frame"
    remedy = (
        "Send one two-dimensional mammogram. For a tomosynthesis, send the two-dimensional view "
        "that was taken or computed with it."
    )


class ForProcessing(UnsupportedImage):
    """The mammogram holds raw detector values."""

    slug = "for-processing"
    title = "Raw image, not for presentation"
    remedy = "Send the image FOR PRESENTATION that was made from it."


class CorruptImage(ImageError):
    """The file is truncated or damaged."""

    slug = "corrupt-image"
    title = "Damaged image"
    remedy = "Export the image again from its archive. The file is truncated or damaged."


class TooManyPixels(ImageError):
    """The image has more pixels than the service decodes."""

    slug = "too-many-pixels"
    title = "Image too large"
    remedy = "Send a smaller image, or ask the operator to raise MAMMOLENS_MAX_PIXELS."

    def __init__(self, pixels: int, max_pixels: int) -> None:
        detail = f"The image has {pixels} pixels. The maximum is {max_pixels}."
        super().__init__(detail, max_pixels=max_pixels)


class Undecodable(ImageError):
    """Decoding took too long or too much memory, or crashed the decoder."""

    slug = "undecodable-image"
    title = "Image exceeds the decoding limits"
    remedy = (
        "Export the image again. If it is intact, ask the operator to raise "
        "MAMMOLENS_MAX_DECODE_SECONDS."
    )


class ReaderKilled(Undecodable):
    """The process that decoded the file was ended from outside, perhaps twice.

    The decoder did not end it. The file may be sound.
    """


class NotAMammogram(ImageError):
    """The header names another kind of image."""

    slug = "not-a-mammogram"
    title = "Not a mammogram"
    remedy = "Send a two-dimensional mammogram for presentation."


class Tomosynthesis(NotAMammogram):
    """The file holds slices or projections of a tomosynthesis."""

    slug = "tomosynthesis"
    title = "Tomosynthesis is unsupported"
    remedy = (
        "Send the two-dimensional mammogram, or the two-dimensional view computed from the "
        "tomosynthesis."
    )


class NoBreast(ImageError):
    """No breast was found in the pixels."""

    slug = "no-breast"
    title = "No breast found in the image"
    remedy = "Check that the image shows a breast on a dark background."


class NotStorable(ImageError):
    """The file does not have what an object for archives has to copy."""

    slug = "not-storable"
    title = "No study for results"
    remedy = (
        "Send the DICOM file with the Study, Series and SOP Instance UIDs that it has in its "
        "archive."
    )
