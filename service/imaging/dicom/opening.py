"""Open DICOM files: the elements that are read, and the kind of object."""

from dataclasses import dataclass

from pydicom.tag import Tag
from pydicom.uid import UID

from service.errors import CorruptImage, ImageError, UnsupportedImage, UnsupportedSyntax
from service.imaging.dicom.dataset_file import PixelData, read_dataset, read_file_meta
from service.imaging.dicom.elements import Elements
from service.imaging.dicom.header import HEADER_TAGS, Header, read_header
from service.imaging.dicom.identity import ImageIdentity, read_identity
from service.imaging.dicom.pixeldata import NATIVE, SYNTAXES
from service.imaging.library_errors import as_corrupt_image, silence_warnings
from service.imaging.limits import Limits

_DAMAGED = "The DICOM file is truncated or damaged: its header cannot be read."


@dataclass(frozen=True, slots=True)
class OpenedDataset:
    """A dataset, which may be no image. `pixel_data`: None if there are none."""

    syntax: UID
    elements: Elements
    identity: ImageIdentity
    pixel_data: PixelData | None

    def header(self) -> Header:
        """Return the header of a greyscale image.

        Raises:
            CorruptImage: there is no image, or a value on which its pixels depend is damaged.
            UnsupportedImage: the image is in colour, or of an unsupported depth.
        """
        if self.pixel_data is None or not self.identity.has_pixels:
            raise CorruptImage(
                "The DICOM file has no pixel data, or its header lacks the rows or columns."
            )
        if self.pixel_data.encapsulated and self.syntax in NATIVE:
            raise CorruptImage(
                "The DICOM file contradicts itself: its image is compressed, but its transfer "
                "syntax is that of an uncompressed one, or missing."
            )

        with silence_warnings(), as_corrupt_image(_DAMAGED):
            header = read_header(self.elements, self.identity, self.pixel_data)

        if header.samples != 1 or header.photometric not in {"MONOCHROME1", "MONOCHROME2"}:
            raise UnsupportedImage(
                "The image is in colour, or its photometric interpretation is neither MONOCHROME1 "
                "nor MONOCHROME2."
            )
        return header


def open_dataset(data: bytes, limits: Limits) -> OpenedDataset:
    """Open a DICOM file, with or without preamble and prefix.

    Raises:
        ImageError: the file is damaged, or its transfer syntax is not supported.
    """
    with silence_warnings(), as_corrupt_image(_DAMAGED):
        meta = read_file_meta(data)
        syntax = meta.syntax

        if syntax not in SYNTAXES:
            name = syntax.name if syntax.is_transfer_syntax else "of the file"
            raise UnsupportedSyntax(name, [known.name for known in SYNTAXES])

        raw, pixel_data = read_dataset(
            data, syntax, meta.start, HEADER_TAGS, limits.max_dataset_bytes
        )
        elements = Elements(raw)
        has_size = all(elements.element(Tag(keyword)) for keyword in ("Rows", "Columns"))
        identity = read_identity(
            elements, meta.media_class, has_pixels=pixel_data is not None and has_size
        )
    return OpenedDataset(syntax, elements, identity, pixel_data)


def has_prefix(data: bytes) -> bool:
    """Return whether the bytes begin as a DICOM file: with preamble and prefix (PS3.10, 7.1)."""
    return data[128:132] == b"DICM"


def is_bare_dataset(data: bytes, limits: Limits) -> bool:
    """Return whether the bytes are a DICOM dataset without preamble and prefix.

    It is one if it has an image, or a SOP class of the standard.
    """
    try:
        identity = open_dataset(data, limits).identity
    except ImageError:
        return False
    return identity.has_pixels or identity.is_standard_class
