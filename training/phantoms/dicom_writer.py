"""Phantom images as DICOM objects.

SOP class: Digital Mammography X-Ray Image Storage - For Presentation (PS3.3 A.27).
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    UID,
    DigitalMammographyXRayImageStorageForPresentation,
    generate_uid,
)

from training.phantoms.acquisition import Acquisition
from training.phantoms.transfer import LOSSY, SYNTAXES, encode
from training.phantoms.view import PhantomImage

# SNOMED CT codes, PS3.16 CID 4014.
_VIEW_CODES = {"CC": ("399162004", "cranio-caudal"), "MLO": ("399368009", "medio-lateral oblique")}
_BREAST_CODE = ("76752008", "Breast")
# Direction of the rows and of the columns (PS3.3 C.7.6.1.1.1). The chest wall of a left breast is
# on the left.
_ORIENTATIONS = {
    ("L", "CC"): ["A", "R"],
    ("R", "CC"): ["P", "L"],
    ("L", "MLO"): ["A", "FR"],
    ("R", "MLO"): ["P", "FL"],
}


@dataclass(frozen=True, slots=True)
class PhantomIdentity:
    """Patient and image that a file belongs to.

    Every UID is derived from these fields, so that the same phantom always gives the same bytes.
    """

    patient_id: int = 1
    image_id: int = 1
    age: int = 55

    def uid(self, level: str, number: int = 0) -> UID:
        """Return the UID of the study, series or image."""
        return generate_uid(
            entropy_srcs=["mammolens phantom", level, str(self.patient_id), str(number)]
        )


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
    elements = _exam(identity) | _projection(image, acquisition) | _pixel_module(image, acquisition)
    for keyword, value in elements.items():
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


def _exam(identity: PhantomIdentity) -> dict[str, Any]:
    """Return the elements of patient, study and series."""
    return {
        "SOPClassUID": DigitalMammographyXRayImageStorageForPresentation,
        "SOPInstanceUID": identity.uid("image", identity.image_id),
        "StudyInstanceUID": identity.uid("study"),
        "SeriesInstanceUID": identity.uid("series"),
        "StudyDate": "20220101",
        "StudyTime": "080000",
        "ContentDate": "20220101",
        "ContentTime": "080000",
        "AccessionNumber": str(identity.patient_id),
        "ReferringPhysicianName": "",
        "PatientName": f"Phantom^{identity.patient_id}",
        "PatientID": str(identity.patient_id),
        "PatientBirthDate": "",
        "PatientSex": "F",
        "PatientAge": f"{identity.age:03d}Y",
        "StudyID": str(identity.patient_id),
        "SeriesNumber": 1,
    }


def _projection(image: PhantomImage, acquisition: Acquisition) -> dict[str, Any]:
    """Return the elements of equipment, body part, view and orientation."""
    rows, _ = image.pixels.shape
    spacing = round(acquisition.detector_height_mm / rows, 5)

    return {
        "ImageType": ["DERIVED", "PRIMARY"],
        "InstanceNumber": 1 + list(_ORIENTATIONS).index((image.laterality, image.view)),
        "Modality": "MG",
        "PresentationIntentType": "FOR PRESENTATION",
        "Manufacturer": acquisition.manufacturer,
        "ManufacturerModelName": acquisition.model,
        "DeviceSerialNumber": "1",
        "SoftwareVersions": "1",
        "BodyPartExamined": "BREAST",
        "OrganExposed": "BREAST",
        "ImageLaterality": image.laterality,
        "ViewPosition": image.view,
        "ViewCodeSequence": [_code(*_VIEW_CODES[image.view])],
        "AnatomicRegionSequence": [_code(*_BREAST_CODE)],
        "PatientOrientation": _ORIENTATIONS[image.laterality, image.view],
        "PartialView": "NO",
        "BreastImplantPresent": "NO",
        "PositionerType": "MAMMOGRAPHIC",
        "PositionerPrimaryAngle": 0 if image.view == "CC" else 45,
        "KVP": 28,
        "BodyPartThickness": 55,
        "CompressionForce": 110,
        "DetectorType": "DIRECT",
        "ImagerPixelSpacing": [spacing, spacing],
        "FieldOfViewHorizontalFlip": "NO",
        "AcquisitionContextSequence": [],
    }


def _pixel_module(image: PhantomImage, acquisition: Acquisition) -> dict[str, Any]:
    """Return the elements of pixel data and of its display."""
    rows, columns = image.pixels.shape
    stored = acquisition.store(image.pixels)

    windows = acquisition.written_windows()
    voi_lut = (
        {
            "WindowCenter": [window.centre for window in windows],
            "WindowWidth": [window.width for window in windows],
            "WindowCenterWidthExplanation": [window.explanation for window in windows],
            "VOILUTFunction": windows[0].function,
        }
        if windows
        else {}
    )

    return {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": acquisition.photometric,
        "Rows": rows,
        "Columns": columns,
        "BitsAllocated": 8 * acquisition.bytes_allocated,
        "BitsStored": acquisition.bits,
        "HighBit": acquisition.bits - 1,
        "PixelRepresentation": 0,
        "PixelIntensityRelationship": "LOG",
        "PixelIntensityRelationshipSign": 1,
        "RescaleIntercept": 0,
        "RescaleSlope": 1,
        "RescaleType": "US",
        "PresentationLUTShape": "INVERSE"
        if acquisition.photometric == "MONOCHROME1"
        else "IDENTITY",
        "LossyImageCompression": "01" if acquisition.transfer_syntax in LOSSY else "00",
        "BurnedInAnnotation": "NO",  # the marker has no patient, no date (PS3.3 C.7.6.1)
        "PixelData": encode(stored, acquisition.bits, acquisition.transfer_syntax),
    } | voi_lut


def _code(value: str, meaning: str) -> Dataset:
    """Return an item of a SNOMED CT code sequence."""
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = "SCT"
    item.CodeMeaning = meaning
    return item
