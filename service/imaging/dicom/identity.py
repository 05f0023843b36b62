"""Identity of a DICOM image: its kind, the breast, the view, and how it was made.

Only the elements named here are kept. None of them identifies a person, except the image's UID.
Texts that are not terms of the standard are dropped, because they may hold anything, even a name.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydicom.dataset import Dataset
from pydicom.uid import UID

from service.imaging.dicom import spacing
from service.imaging.dicom.elements import flag, integer, items, text, texts
from service.imaging.dicom.spacing import Spacing, magnification, read_spacing
from service.records import Derivation, Laterality

KEYWORDS = [
    "SOPClassUID", "SOPInstanceUID", "Modality", "PresentationIntentType", "ImageType",
    "NumberOfFrames", "BodyPartExamined", "AnatomicRegionSequence", "ImageLaterality", "Laterality",
    "ViewPosition", "ViewCodeSequence", "PatientOrientation", "PaddleDescription",
    "BreastImplantPresent", "PartialView", "BurnedInAnnotation", "LossyImageCompression",
    *spacing.KEYWORDS,
]  # fmt: skip
"""Elements that are read for the identity."""

T = TypeVar("T")

SPECIMEN = "SPECIMEN"
# Views: from the codes of PS3.16 CID 4014 in SNOMED CT, and in SNOMED RT (older files), to the
# terms of PS3.3 C.8.11.7.1.1.
_VIEW_CODES = {
    "399162004": "CC", "R-10242": "CC",
    "399368009": "MLO", "R-10226": "MLO",
    "399260004": "ML", "R-10224": "ML",
    "399352003": "LM", "R-10228": "LM",
    "399099002": "LMO", "R-10230": "LMO",
    "399188001": "SIO", "R-102D0": "SIO",
    "441555000": "ISO", "R-40AAA": "ISO",
    "399196006": "FB", "R-10244": "FB",
    "399192008": "XCCL", "R-1024A": "XCCL",
    "399101009": "XCCM", "R-1024B": "XCCM",
    "127457009": SPECIMEN, "G-8310": SPECIMEN,
}  # fmt: skip
_VIEWS = {*_VIEW_CODES.values(), "XCC", "CV", "AT"}

MAGNIFICATION = "Magnification"
SPOT_COMPRESSION = "Spot Compression"
IMPLANT_DISPLACED = "Implant Displaced"
# View modifiers: from the codes of PS3.16 CID 4015 in SNOMED CT, and in SNOMED RT (older files).
_MODIFIER_CODES = {
    "399163009": MAGNIFICATION, "R-102D6": MAGNIFICATION,
    "399055006": SPOT_COMPRESSION, "R-102D7": SPOT_COMPRESSION,
    "399209000": IMPLANT_DISPLACED, "R-102D5": IMPLANT_DISPLACED,
    "441752004": "Anterior compression", "P2-00161": "Anterior compression",
    "399011000": "Axillary Tail", "R-102D1": "Axillary Tail",
    "442580003": "Axillary tissue", "R-40AB2": "Axillary tissue",
    "399161006": "Cleavage", "R-102D2": "Cleavage",
    "442593008": "Infra-mammary fold", "R-40ABE": "Infra-mammary fold",
    "442581004": "Nipple in profile", "R-40AB3": "Nipple in profile",
    "414493004": "Rolled Inferior", "R-102CA": "Rolled Inferior",
    "399197002": "Rolled Lateral", "R-102D3": "Rolled Lateral",
    "399226006": "Rolled Medial", "R-102D4": "Rolled Medial",
    "415670009": "Rolled Superior", "R-102C9": "Rolled Superior",
    "399110001": "Tangential", "R-102C2": "Tangential",
}  # fmt: skip
# Contact views are magnified by less than 1.1, magnification views by 1.5 to 2.
_MIN_MAGNIFICATION = 1.4

# Terms in values 3 to 5 of Image Type (PS3.3 C.8.11.7.1.4).
_TOMOSYNTHESIS_TYPES = {"TOMO_PROJ", "TOMOSYNTHESIS", "TOMO_SCOUT"}
_DERIVATIONS: Mapping[Derivation, set[str]] = {
    "synthesised": {"GENERATED_2D"},
    "contrast-enhanced": {
        "ADDITION", "SUBTRACTION", "LOW_ENERGY", "HIGH_ENERGY", "PRE_CONTRAST", "POST_CONTRAST",
    },
    "biopsy": {
        "STEREO_SCOUT", "STEREO_MINUS", "STEREO_PLUS", "PREFIRE", "PREFIRE_MINUS", "PREFIRE_PLUS",
        "POSTFIRE", "POSTFIRE_MINUS", "POSTFIRE_PLUS", "POSTBIOPSY", "POSTBIOPSY_MINUS",
        "POSTBIOPSY_PLUS", "POSTMARKER",
    },
}  # fmt: skip

_BREAST_CODES = {"76752008", "T-04000"}
# Body parts other than the breast that are X-rayed (PS3.16 annex L).
_OTHER_BODY_PARTS = {
    "ABDOMEN", "ABDOMENPELVIS", "ANKLE", "ARM", "CALCANEUS", "CHEST", "CHESTABDOMEN", "CLAVICLE",
    "COCCYX", "CSPINE", "CTSPINE", "ELBOW", "EXTREMITY", "EYE", "FEMUR", "FINGER", "FOOT",
    "FOREARM", "HAND", "HEAD", "HEADNECK", "HEART", "HIP", "HUMERUS", "JAW", "KNEE", "LEG",
    "LSPINE", "LSSPINE", "LUNG", "NECK", "PELVIS", "RIB", "SCAPULA", "SHOULDER", "SKULL", "SPINE",
    "SSPINE", "STERNUM", "THIGH", "TIBIA", "TLSPINE", "TOE", "TSPINE", "WRIST",
}  # fmt: skip
_LATERALITIES: dict[str | None, Laterality] = {"L": "L", "R": "R"}
_DIRECTION = re.compile("[APRLHF]{1,3}")


@dataclass(frozen=True, slots=True)
class ImageIdentity:
    """Identity of an image; None where the header does not state an attribute.

    `..._contradicted`: two elements name different values. The first of them is used.
    """

    sop_class: UID | None
    sop_instance_uid: str | None
    modality: str | None
    for_processing: bool
    tomosynthesis: bool
    derivation: Derivation | None
    frames: int
    other_body_part: str | None
    laterality: Laterality | None
    laterality_contradicted: bool
    view: str | None
    view_contradicted: bool
    view_modifiers: tuple[str, ...]
    patient_orientation: tuple[str, str] | None
    implant: bool | None
    partial_view: bool | None
    burned_in_annotation: bool | None
    lossy: bool | None
    spacing: Spacing | None


def read_identity(dataset: Dataset) -> ImageIdentity:
    """Read the identity from the elements of KEYWORDS."""
    sop_class = text(dataset, "SOPClassUID")
    sop_instance = text(dataset, "SOPInstanceUID")
    image_type = set(texts(dataset, "ImageType"))

    # Laterality and view: known terms only, from the element that takes precedence first.
    lateralities: list[Laterality] = _known(
        _LATERALITIES.get(text(dataset, keyword)) for keyword in ("ImageLaterality", "Laterality")
    )
    view_codes = items(dataset, "ViewCodeSequence")[:1]
    views = _known(
        [
            view if (view := text(dataset, "ViewPosition")) in _VIEWS else None,
            *(_VIEW_CODES.get(text(code, "CodeValue") or "") for code in view_codes),
        ]
    )

    return ImageIdentity(
        sop_class=UID(sop_class) if sop_class else None,
        sop_instance_uid=sop_instance
        if sop_instance and re.fullmatch(r"[\d.]{1,64}", sop_instance)
        else None,
        modality=text(dataset, "Modality"),
        for_processing=text(dataset, "PresentationIntentType") == "FOR PROCESSING",
        tomosynthesis=bool(image_type & _TOMOSYNTHESIS_TYPES) and "GENERATED_2D" not in image_type,
        derivation=next((name for name, types in _DERIVATIONS.items() if image_type & types), None),
        frames=integer(dataset, "NumberOfFrames", 1),
        other_body_part=_other_body_part(dataset),
        laterality=next(iter(lateralities), None),
        laterality_contradicted=len(set(lateralities)) > 1,
        view=next(iter(views), None),
        view_contradicted=len(set(views) & set(_VIEW_CODES.values())) > 1,
        view_modifiers=_view_modifiers(dataset, view_codes),
        patient_orientation=_orientation(dataset),
        implant=flag(dataset, "BreastImplantPresent"),
        partial_view=flag(dataset, "PartialView"),
        burned_in_annotation=flag(dataset, "BurnedInAnnotation"),
        lossy={"01": True, "00": False}.get(text(dataset, "LossyImageCompression") or ""),
        spacing=read_spacing(dataset),
    )


def _known(values: Iterable[T | None]) -> list[T]:
    return [value for value in values if value is not None]


def _view_modifiers(dataset: Dataset, view_codes: list[Dataset]) -> tuple[str, ...]:
    """Return the view modifiers, by their codes, by the paddle and by the magnification."""
    codes = [code for view in view_codes for code in items(view, "ViewModifierCodeSequence")]
    modifiers = {_MODIFIER_CODES.get(text(code, "CodeValue") or "") for code in codes} - {None}

    paddle = re.findall("[A-Z]+", text(dataset, "PaddleDescription") or "")
    if "SPOT" in paddle:
        modifiers.add(SPOT_COMPRESSION)

    if (magnification(dataset) or 1) >= _MIN_MAGNIFICATION:
        modifiers.add(MAGNIFICATION)
    return tuple(sorted(name for name in modifiers if name))


def _other_body_part(dataset: Dataset) -> str | None:
    """Return the body part in the header if it is not the breast, else None."""
    regions = {text(code, "CodeValue") for code in items(dataset, "AnatomicRegionSequence")}
    part = text(dataset, "BodyPartExamined")
    return part if part in _OTHER_BODY_PARTS and not regions & _BREAST_CODES else None


def _orientation(dataset: Dataset) -> tuple[str, str] | None:
    """Return the directions in which a row and a column run."""
    match texts(dataset, "PatientOrientation"):
        case (row, column) if _DIRECTION.fullmatch(row) and _DIRECTION.fullmatch(column):
            return row, column
    return None
