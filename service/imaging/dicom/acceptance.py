"""Which images are taken for mammograms, which with a warning, and which are refused: `docs/images.md` as code.

Refused is what says of itself that it is something other than a two-dimensional mammogram for presentation. A file that
does not say is taken for what it carries, with a warning: de-identified files often lack Modality and SOP Class.
"""

import re

from pydicom.uid import (
    BreastTomosynthesisImageStorage,
    ComputedRadiographyImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    DigitalMammographyXRayImageStorageForProcessing,
    DigitalXRayImageStorageForPresentation,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from service.errors import ForProcessing, NotAMammogram, SeveralFrames, Tomosynthesis
from service.imaging.dicom.identity import (
    IMPLANT_DISPLACED,
    MAGNIFICATION,
    SPECIMEN,
    SPOT_COMPRESSION,
    ImageIdentity,
)
from service.records import ImageFacts, QualityWarning, Side

_MAMMOGRAPHY = DigitalMammographyXRayImageStorageForPresentation
# Mammograms are met with in these as well, but only Modality tells them from other images.
_GENERAL_CLASSES = {
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
}

NO_MODALITY = QualityWarning(
    "modality-missing",
    "The file does not say that it is a mammogram (no Modality); it was taken for one.",
)
GENERAL_CLASS = QualityWarning(
    "general-sop-class",
    "The mammogram is stored in a class for images in general: its grey values may have been altered on the way.",
)
NO_WINDOW = QualityWarning(
    "no-window",
    "The file has no usable window or VOI LUT; the full stored range was taken for the displayed one.",
)
SHAPE_CONTRADICTED = QualityWarning(
    "polarity-contradicted",
    "Photometric Interpretation and Presentation LUT Shape differ on which end is white; the air around the breast "
    "was taken for black.",
)
BODY_PART_CONTRADICTED = QualityWarning(
    "body-part-contradicted",
    "The file is a mammogram by its modality and class, but names another part of the body.",
)
LATERALITY_CONTRADICTED = QualityWarning(
    "laterality-contradicted",
    "Image Laterality and Laterality name different breasts; the former was taken.",
)
VIEW_CONTRADICTED = QualityWarning(
    "view-contradicted",
    "View Position and View Code Sequence name different views; the former was taken.",
)
ORIENTATION_CONTRADICTED = QualityWarning(
    "orientation-contradicted",
    "By Patient Orientation the image is upside down, or of the other breast than its laterality says.",
)
CHEST_WALL_CONTRADICTED = QualityWarning(
    "chest-wall-contradicted",
    "By Patient Orientation the chest wall is on one side of the image, by the pixels on the other: the image may have "
    "been mirrored. The pixels were followed.",
)
IMPLANT = QualityWarning(
    "implant",
    "The breast has an implant, or one that was displaced for this view: it may hide tissue or draw heat.",
)
SPOT_VIEW = QualityWarning(
    "spot-view",
    "A spot compression, magnification or partial view: it shows a part of the breast, not the whole.",
)
SYNTHESISED = QualityWarning(
    "synthesised", "The image was computed from a tomosynthesis; it is not an X-ray exposure."
)
CONTRAST_ENHANCED = QualityWarning(
    "contrast-enhanced",
    "The image belongs to a contrast-enhanced examination; its grey values mean something else.",
)
BIOPSY = QualityWarning(
    "biopsy-view", "The image was taken for a biopsy: it shows a small field, maybe with a needle."
)
BURNED_IN = QualityWarning(
    "burned-in-annotation",
    "The file says that the image has writing burned in that may name the patient: pictures of it show that writing.",
)


def require_mammogram(identity: ImageIdentity) -> None:
    """Refuses what says that it is something else.

    Raises:
        NotAMammogram, Tomosynthesis, SeveralFrames, ForProcessing: naming what it is.
    """
    modality, sop_class = identity.modality, identity.sop_class
    if modality not in {"MG", None}:
        # Modalities have two letters; anything longer may be anything.
        name = modality if modality and re.fullmatch("[A-Z]{2}", modality) else "another one"
        raise NotAMammogram(f"The image's modality is {name}; only mammograms (MG) are read.")
    if sop_class == BreastTomosynthesisImageStorage or identity.tomosynthesis:
        raise Tomosynthesis(
            "The file is of a breast tomosynthesis; only two-dimensional mammograms are read."
        )
    if identity.for_processing or sop_class == DigitalMammographyXRayImageStorageForProcessing:
        raise ForProcessing("The mammogram is raw, FOR PROCESSING.")
    if sop_class not in {_MAMMOGRAPHY, None} and (
        modality is None or sop_class not in _GENERAL_CLASSES
    ):
        raise NotAMammogram(
            "The image's SOP class is not Digital Mammography X-Ray Image Storage - For Presentation."
        )
    if identity.view == SPECIMEN:
        raise NotAMammogram("The image is of a specimen, not of a breast.")
    if identity.other_body_part and not _is_mammography(identity):
        raise NotAMammogram(
            f"The image's body part is {identity.other_body_part}; only the breast is read."
        )
    if identity.frames != 1:
        raise SeveralFrames("The file has several frames. Send one two-dimensional mammogram.")


def warnings(identity: ImageIdentity) -> tuple[QualityWarning, ...]:
    """What is unusual about an image that is taken all the same."""
    applies = {
        NO_MODALITY: identity.modality is None,
        GENERAL_CLASS: identity.sop_class in _GENERAL_CLASSES,
        BODY_PART_CONTRADICTED: identity.other_body_part is not None,
        LATERALITY_CONTRADICTED: identity.laterality_contradicted,
        VIEW_CONTRADICTED: identity.view_contradicted,
        ORIENTATION_CONTRADICTED: _contradicts_laterality(identity),
        IMPLANT: identity.implant or IMPLANT_DISPLACED in identity.view_modifiers,
        SPOT_VIEW: identity.partial_view
        or {MAGNIFICATION, SPOT_COMPRESSION} & {*identity.view_modifiers},
        SYNTHESISED: identity.derivation == "synthesised",
        CONTRAST_ENHANCED: identity.derivation == "contrast-enhanced",
        BIOPSY: identity.derivation == "biopsy",
        BURNED_IN: identity.burned_in_annotation,
    }
    return tuple(warning for warning, given in applies.items() if given)


def side_warnings(facts: ImageFacts, side: Side) -> tuple[QualityWarning, ...]:
    """What the header says of the chest wall's side, against the side on which the pixels show it.

    A row that runs to the anterior begins at the chest wall (PS3.3 C.7.6.1.1.1). Without Patient Orientation nothing is
    said: a left breast has its chest wall on the right often enough.
    """
    if facts.patient_orientation is None:
        return ()
    expected = {"A": "left", "P": "right"}.get(facts.patient_orientation[0][0], side)
    return (CHEST_WALL_CONTRADICTED,) if expected != side else ()


def _is_mammography(identity: ImageIdentity) -> bool:
    return identity.modality == "MG" and identity.sop_class == _MAMMOGRAPHY


def _contradicts_laterality(identity: ImageIdentity) -> bool:
    """Whether columns run to the head, or away from the middle of the body: to the left of a left breast, say."""
    if identity.patient_orientation is None:
        return False
    down = identity.patient_orientation[1]
    if identity.view not in {"CC", "MLO"} or identity.laterality is None:
        return "H" in down
    return "H" in down or identity.laterality in down
