"""Phantom images as DICOM objects.

SOP class: Digital Mammography X-Ray Image Storage - For Presentation (PS3.3 A.27).
"""

from collections.abc import Mapping
from io import BytesIO

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import DigitalMammographyXRayImageStorageForPresentation

from training.phantoms.acquisition import Acquisition
from training.phantoms.dicom_modules import (
    Elements,
    PhantomIdentity,
    detector,
    equipment,
    exposure,
    patient_and_study,
    series_and_instance,
    view_and_anatomy,
)
from training.phantoms.transfer import LOSSY, SYNTAXES, Syntax, encode
from training.phantoms.view import PhantomImage

# Lossy Image Compression Method (PS3.3 C.7.6.1.1.5.1).
_LOSSY_METHODS: Mapping[Syntax, str] = {
    "jpeg": "ISO_10918_1",
    "jpeg-extended": "ISO_10918_1",
    "jpeg-ls-near": "ISO_14495_1",
    "jpeg2000-lossy": "ISO_15444_1",
    "htj2k-lossy": "ISO_15444_15",
}

_PLAIN = Acquisition()
_DEFAULT_IDENTITY = PhantomIdentity()


def to_dicom(
    image: PhantomImage,
    acquisition: Acquisition = _PLAIN,
    identity: PhantomIdentity = _DEFAULT_IDENTITY,
) -> FileDataset:
    """Return the image as a DICOM dataset, as that machine writes it."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = identity.uid("image", identity.image_id)
    meta.TransferSyntaxUID = SYNTAXES[acquisition.transfer_syntax]

    dataset = FileDataset(
        "",
        {},
        file_meta=meta,
        preamble=b"\0" * 128,
        is_implicit_VR=meta.TransferSyntaxUID.is_implicit_VR,
        is_little_endian=meta.TransferSyntaxUID.is_little_endian,
    )
    for keyword, value in _elements(image, acquisition, identity).items():
        setattr(dataset, keyword, value)

    in_bytes = meta.TransferSyntaxUID.is_encapsulated or acquisition.bytes_allocated == 1
    dataset["PixelData"].VR = "OB" if in_bytes else "OW"
    return dataset


def to_dicom_bytes(
    image: PhantomImage,
    acquisition: Acquisition = _PLAIN,
    identity: PhantomIdentity = _DEFAULT_IDENTITY,
) -> bytes:
    """Return the image as a DICOM file, as that machine writes it."""
    buffer = BytesIO()
    to_dicom(image, acquisition, identity).save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _elements(image: PhantomImage, acquisition: Acquisition, identity: PhantomIdentity) -> Elements:
    """Return all elements of the dataset."""
    stored = acquisition.store(image.pixels)
    pixel_data = encode(stored, acquisition.bits, acquisition.transfer_syntax)

    return {
        **patient_and_study(identity),
        **series_and_instance(identity, image),
        **equipment(acquisition),
        **view_and_anatomy(image),
        **exposure(image),
        **detector(image, acquisition),
        **_pixel_format(image, acquisition),
        **_windows(acquisition),
        **_compression(acquisition.transfer_syntax, stored.nbytes / len(pixel_data)),
        "PixelData": pixel_data,
    }


def _pixel_format(image: PhantomImage, acquisition: Acquisition) -> Elements:
    """Return the elements that describe the stored values."""
    rows, columns = image.pixels.shape
    inverse = acquisition.photometric == "MONOCHROME1"

    return {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": acquisition.photometric,
        "Rows": rows,
        "Columns": columns,
        "BitsAllocated": 8 * acquisition.bytes_allocated,
        "BitsStored": acquisition.bits,
        "HighBit": acquisition.bits - 1,
        "PixelRepresentation": 0,
        # -1: a larger stored value stands for less radiation (PS3.3 C.8.11.3).
        "PixelIntensityRelationship": "LOG",
        "PixelIntensityRelationshipSign": 1 if inverse else -1,
        "RescaleIntercept": 0,
        "RescaleSlope": 1,
        "RescaleType": "US",
        "PresentationLUTShape": "INVERSE" if inverse else "IDENTITY",
        "BurnedInAnnotation": "NO",  # the marker has no patient, no date (PS3.3 C.7.6.1)
    }


def _windows(acquisition: Acquisition) -> Elements:
    """Return the elements of the VOI LUT, none without windows."""
    windows = acquisition.written_windows()
    if not windows:
        return {}

    return {
        "WindowCenter": [window.centre for window in windows],
        "WindowWidth": [window.width for window in windows],
        "WindowCenterWidthExplanation": [window.explanation for window in windows],
        "VOILUTFunction": windows[0].function,
    }


def _compression(syntax: Syntax, ratio: float) -> Elements:
    """Return the elements of lossy compression. `ratio`: size before and after."""
    if syntax not in LOSSY:
        return {"LossyImageCompression": "00"}

    derivation = Dataset()
    derivation.CodeValue = "113040"
    derivation.CodingSchemeDesignator = "DCM"
    derivation.CodeMeaning = "Lossy Compression"

    return {
        "LossyImageCompression": "01",
        "LossyImageCompressionRatio": round(ratio, 2),
        "LossyImageCompressionMethod": _LOSSY_METHODS[syntax],
        "DerivationDescription": "Lossy compression",
        "DerivationCodeSequence": [derivation],
    }
