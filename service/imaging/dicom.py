"""DICOM files to calibrated greyscale, and what is refused of them.

Refused is what says of itself that it is something other than a two-dimensional mammogram for presentation. A file that
does not say is taken for what it carries, with a caution: de-identified files often lack Modality and SOP Class.
"""

import re
from io import BytesIO

import numpy as np
from pydicom.uid import (
    JPEG2000,
    UID,
    BreastTomosynthesisImageStorage,
    ComputedRadiographyImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    DigitalMammographyXRayImageStorageForProcessing,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from service.errors import CorruptImage, NotAMammogram, UnsupportedImage
from service.imaging.foreign import damage_reported, quiet
from service.imaging.header import Header, read_header, read_syntax
from service.imaging.limits import Limits
from service.imaging.pixeldata import Patterns, read_jpeg2000, read_native
from service.results import Caution, ImageFacts, Mammogram

_NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
_ENCAPSULATED = (JPEG2000Lossless, JPEG2000)

# Mammograms are met with in these as well, but only Modality tells them from other images.
_GENERAL_CLASSES = {
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
}

_NO_MODALITY = Caution(
    "modality-missing", "The file does not say that it is a mammogram (no Modality); it was taken for one."
)
_GENERAL_CLASS = Caution(
    "general-sop-class",
    "The mammogram is stored in a class for images in general: its grey values may have been altered on the way.",
)
_NO_WINDOW = Caution(
    "no-window", "The file has no usable window or VOI LUT; the full stored range was taken for the displayed one."
)


def is_bare_dataset(data: bytes) -> bool:
    """Whether the bytes are a DICOM dataset with an image in it, without the preamble and prefix of a file."""
    try:
        _, header = _read(data)
    except (CorruptImage, UnsupportedImage):
        return False
    return header is not None


def decode_dicom(data: bytes, limits: Limits) -> Mammogram:
    """The mammogram in a DICOM file; ImageError as in `service.imaging.decoding`."""
    syntax, header = _read(data)
    if header is None:
        raise CorruptImage("The DICOM file has no pixel data, or does not say how many rows and columns.")
    _require_mammogram(header)
    _require_greyscale(header, syntax)
    limits.check(header.rows, header.columns)
    patterns = _read_patterns(header, syntax)
    return Mammogram(
        # The table has an entry for every pattern; `wrap` spares a check of each index and takes half the time.
        pixels=np.take(header.calibration.display_table(), patterns, mode="wrap"),
        facts=ImageFacts(
            format="dicom",
            rows=header.rows,
            columns=header.columns,
            bits=header.calibration.storage.bits_stored,
            photometric=header.photometric,
            transfer_syntax=syntax.name,
            window=header.window,
            laterality=header.laterality,
            view=header.view,
            pixel_spacing_mm=header.pixel_spacing_mm,
            sop_instance_uid=header.sop_instance_uid,
        ),
        cautions=_cautions(header),
    )


def _read(data: bytes) -> tuple[UID, Header | None]:
    stream = BytesIO(data)
    with quiet(), damage_reported("The DICOM file is truncated or damaged: its header cannot be read."):
        syntax = read_syntax(stream)
        # A deflated dataset is not inflated to look into it: nothing bounds its size.
        if not syntax.is_transfer_syntax or syntax.is_deflated:
            raise _unread(syntax)
        return syntax, read_header(stream, syntax)


def _unread(syntax: UID) -> UnsupportedImage:
    name = syntax.name if syntax.is_transfer_syntax else "that the file names"
    known = ", ".join(known.name for known in _NATIVE + _ENCAPSULATED)
    return UnsupportedImage(f"The transfer syntax {name} is not read. Send the image in one of: {known}.")


def _require_mammogram(header: Header) -> None:
    if header.modality not in {"MG", None}:
        # Modalities have two letters; anything longer may be anything.
        name = header.modality if header.modality and re.fullmatch("[A-Z]{2}", header.modality) else "another one"
        raise NotAMammogram(f"The image's modality is {name}; only mammograms (MG) are read.")
    if header.sop_class == BreastTomosynthesisImageStorage:
        raise NotAMammogram("The image is a breast tomosynthesis; only two-dimensional mammograms are read.")
    if header.for_processing or header.sop_class == DigitalMammographyXRayImageStorageForProcessing:
        raise UnsupportedImage("The mammogram is raw, FOR PROCESSING. Send the image FOR PRESENTATION made from it.")
    if header.sop_class in {DigitalMammographyXRayImageStorageForPresentation, None}:
        return
    if header.modality is None or header.sop_class not in _GENERAL_CLASSES:
        raise NotAMammogram("The image's SOP class is not Digital Mammography X-Ray Image Storage - For Presentation.")


def _require_greyscale(header: Header, syntax: UID) -> None:
    storage = header.calibration.storage
    if header.samples != 1 or header.photometric not in {"MONOCHROME1", "MONOCHROME2"}:
        raise UnsupportedImage("The image is in colour, or its photometric interpretation is not MONOCHROME1 or 2.")
    if header.frames != 1:
        raise UnsupportedImage("The file has several frames. Send one two-dimensional mammogram.")
    # Big-endian files may have their bytes swapped in pairs, or not: a pixel of 8 bits does not show which.
    if storage.bits_allocated not in ({16} if syntax == ExplicitVRBigEndian else {8, 16}):
        raise UnsupportedImage("The image has neither 8 nor 16 bits allocated to a pixel, or 8 in a big-endian file.")
    if not 1 <= storage.bits_stored <= storage.high_bit + 1 <= storage.bits_allocated:
        raise CorruptImage("The DICOM file contradicts itself: bits stored, high bit and bits allocated do not agree.")


def _cautions(header: Header) -> tuple[Caution, ...]:
    applies = {
        _NO_MODALITY: header.modality is None,
        _GENERAL_CLASS: header.sop_class in _GENERAL_CLASSES,
        _NO_WINDOW: header.window is None,
    }
    return tuple(caution for caution in applies if applies[caution])


def _read_patterns(header: Header, syntax: UID) -> Patterns:
    shape, bits_allocated = (header.rows, header.columns), header.calibration.storage.bits_allocated
    if syntax in _ENCAPSULATED:
        return read_jpeg2000(header.pixel_data, shape, bits_allocated)
    if syntax in _NATIVE:
        byte_order = "<" if syntax.is_little_endian else ">"
        return read_native(header.pixel_data, shape, np.dtype(f"{byte_order}u{bits_allocated // 8}"))
    raise _unread(syntax)
