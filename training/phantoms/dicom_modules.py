"""Header modules of a phantom's DICOM object, apart from its pixels.

PS3.3 A.27 lists the modules, and the IHE profile Mammography Image the elements that machines add.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import UID, DigitalMammographyXRayImageStorageForPresentation, generate_uid

from service.records import Laterality
from training.phantoms.acquisition import Acquisition
from training.phantoms.anatomy import View
from training.phantoms.view import PhantomImage

Elements = Mapping[str, Any]

# Views in the order of an exam.
VIEWS: tuple[tuple[Laterality, View], ...] = (("L", "CC"), ("L", "MLO"), ("R", "CC"), ("R", "MLO"))
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
_STUDY_YEAR = 2022
_STUDY_DATE = f"{_STUDY_YEAR}0101"
# Distances from the focus, in mm. Their ratio is the magnification in the plane of the support.
_TO_DETECTOR = 660
_TO_SUPPORT = 640


@dataclass(frozen=True, slots=True)
class PhantomIdentity:
    """Patient and image that a file belongs to.

    Every UID is derived from these fields and the view, so that the same phantom always gives the
    same bytes.
    """

    patient_id: int = 1
    image_id: int = 1
    age: int = 55

    def uid(self, level: str, number: int = 0) -> UID:
        """Return the UID of the study, series or image."""
        return generate_uid(
            entropy_srcs=["mammolens phantom", level, str(self.patient_id), str(number)]
        )


def patient_and_study(identity: PhantomIdentity) -> Elements:
    """Return the elements of patient and study. The patient's birthday is the day of the study."""
    return {
        "StudyInstanceUID": identity.uid("study"),
        "StudyDate": _STUDY_DATE,
        "StudyTime": "080000",
        "StudyID": str(identity.patient_id),
        "StudyDescription": "Screening mammography",
        "AccessionNumber": str(identity.patient_id),
        "ReferringPhysicianName": "",
        "PatientName": f"Phantom^{identity.patient_id}",
        "PatientID": str(identity.patient_id),
        "PatientBirthDate": f"{_STUDY_YEAR - identity.age}0101",
        "PatientSex": "F",
        "PatientAge": f"{identity.age:03d}Y",
    }


def series_and_instance(identity: PhantomIdentity, image: PhantomImage) -> Elements:
    """Return the elements of the view's series and of its only image.

    Every view has a series of its own, because a series is of one side. The views of an
    exam follow one another by a minute.
    """
    number = 1 + VIEWS.index((image.laterality, image.view))
    time = f"08{number:02d}00"

    return {
        "SOPClassUID": DigitalMammographyXRayImageStorageForPresentation,
        "SOPInstanceUID": identity.uid("image", identity.image_id),
        "SeriesInstanceUID": identity.uid("series", number),
        "SeriesNumber": number,
        "SeriesDescription": f"{image.laterality} {image.view}",
        "ProtocolName": "Screening",
        "InstanceNumber": 1,
        "Modality": "MG",
        "PresentationIntentType": "FOR PRESENTATION",
        "SeriesDate": _STUDY_DATE,
        "SeriesTime": time,
        "AcquisitionDate": _STUDY_DATE,
        "AcquisitionTime": time,
        "ContentDate": _STUDY_DATE,
        "ContentTime": time,
        "OperatorsName": "Phantom^Radiographer",
    }


def equipment(acquisition: Acquisition) -> Elements:
    """Return the elements of the machine and its place."""
    return {
        "Manufacturer": acquisition.manufacturer,
        "ManufacturerModelName": acquisition.model,
        "InstitutionName": "Phantom Hospital",
        "InstitutionAddress": "1 Phantom Street",
        "StationName": "PHANTOM",
        "DeviceSerialNumber": "1",
        "SoftwareVersions": "1",
    }


def view_and_anatomy(image: PhantomImage) -> Elements:
    """Return the elements of body part, view and orientation."""
    view = _code(*_VIEW_CODES[image.view])
    view.ViewModifierCodeSequence = []

    return {
        "ImageType": ["DERIVED", "PRIMARY"],
        "BodyPartExamined": "BREAST",
        "OrganExposed": "BREAST",
        "ImageLaterality": image.laterality,
        "ViewPosition": image.view,
        "ViewCodeSequence": [view],
        "AnatomicRegionSequence": [_code(*_BREAST_CODE)],
        "PatientOrientation": _ORIENTATIONS[image.laterality, image.view],
        "PartialView": "NO",
        "BreastImplantPresent": "NO",
        "AcquisitionContextSequence": [],
    }


def exposure(image: PhantomImage) -> Elements:
    """Return the elements of positioner, compression, radiation and dose.

    Exposure Time is in ms, the current in mA, Entrance Dose in mGy and Organ Dose in dGy.
    """
    return {
        "PositionerType": "MAMMOGRAPHIC",
        "PositionerPrimaryAngle": 0 if image.view == "CC" else 45,
        "DistanceSourceToDetector": _TO_DETECTOR,
        "DistanceSourceToPatient": _TO_SUPPORT,
        "EstimatedRadiographicMagnificationFactor": _TO_DETECTOR / _TO_SUPPORT,
        "BodyPartThickness": 55,
        "CompressionForce": 110,
        "KVP": 28,
        "ExposureTime": 1000,
        "XRayTubeCurrent": 100,
        "Exposure": 100,
        "ExposureControlMode": "AUTOMATIC",
        "RelativeXRayExposure": 400,
        "AnodeTargetMaterial": "TUNGSTEN",
        "FilterMaterial": "RHODIUM",
        "EntranceDoseInmGy": 5,
        "OrganDose": 0.015,
    }


def detector(image: PhantomImage, acquisition: Acquisition) -> Elements:
    """Return the elements of the detector, all of which is the field of view.

    Imager Pixel Spacing is in mm, in the plane of the detector.
    """
    rows, _ = image.pixels.shape
    spacing = round(acquisition.detector_height_mm / rows, 5)

    return {
        "DetectorType": "DIRECT",
        "DetectorID": "1",
        "DateOfLastDetectorCalibration": _STUDY_DATE,
        "ImagerPixelSpacing": [spacing, spacing],
        "FieldOfViewOrigin": [0, 0],
        "FieldOfViewRotation": "0",  # a number would be written as 0.0, which is no term
        "FieldOfViewHorizontalFlip": "NO",
    }


def _code(value: str, meaning: str) -> Dataset:
    """Return an item of a SNOMED CT code sequence."""
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = "SCT"
    item.CodeMeaning = meaning
    return item
