"""Rules for accepting, warning about and refusing images. `docs/images.md` lists them.

A file is refused if its header names something other than a two-dimensional mammogram for
presentation. A file whose header lacks this information is read with a warning, because
de-identified files often lack Modality and SOP Class.
"""

import re
from collections.abc import Iterable

from pydicom.datadict import dictionary_description
from pydicom.uid import (
    BreastProjectionXRayImageStorageForPresentation,
    BreastProjectionXRayImageStorageForProcessing,
    BreastTomosynthesisImageStorage,
    ComputedRadiographyImageStorage,
    DigitalMammographyXRayImageStorageForProcessing,
    DigitalXRayImageStorageForPresentation,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from service.errors import ForProcessing, NotAMammogram, SeveralFrames, Tomosynthesis
from service.imaging.dicom.identity import MAMMOGRAPHY, ImageIdentity
from service.imaging.dicom.terms import (
    IMPLANT_DISPLACED,
    MAGNIFICATION,
    SPECIMEN,
    SPOT_COMPRESSION,
)
from service.records import ImageFacts, QualityWarning, Side

_TOMOSYNTHESIS_CLASSES = {
    BreastTomosynthesisImageStorage,
    BreastProjectionXRayImageStorageForPresentation,
    BreastProjectionXRayImageStorageForProcessing,
}
# These classes may hold mammograms, too, but only Modality tells them from other images, or body
# part and view together.
_GENERAL_CLASSES = {
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
}

NO_MODALITY = QualityWarning(
    "modality-missing",
    "The file does not state that it is a mammogram (Modality is missing). It was treated as one.",
)
GENERAL_CLASS = QualityWarning(
    "general-sop-class",
    "The mammogram is stored in a class for images in general. Its grey values may have been "
    "altered.",
)
FILM = QualityWarning(
    "digitised-film",
    "By its modality, the image is no digital mammogram, but the file names the breast and a "
    "mammographic view. It was treated as a digitised film.",
)
NO_WINDOW = QualityWarning(
    "no-window",
    "The file has no usable window or VOI LUT. The range of the image's values was displayed.",
)
WINDOW_UNUSABLE = QualityWarning(
    "window-unusable",
    "The window or VOI LUT of the file makes nearly all of the breast black or white. The range of "
    "the image's values was displayed instead.",
)
LUT_CONTRADICTED = QualityWarning(
    "lut-contradicted",
    "A lookup table of the file holds larger values than its descriptor allows. It was scaled by "
    "the values that it holds.",
)
SHAPE_CONTRADICTED = QualityWarning(
    "polarity-contradicted",
    "Photometric Interpretation and Presentation LUT Shape disagree on which end is white. The air "
    "around the breast was displayed black.",
)
BODY_PART_CONTRADICTED = QualityWarning(
    "body-part-contradicted",
    "The file is a mammogram by its modality and class, but it names another body part.",
)
LATERALITY_CONTRADICTED = QualityWarning(
    "laterality-contradicted",
    "Image Laterality and Laterality name different breasts. Image Laterality was used.",
)
VIEW_CONTRADICTED = QualityWarning(
    "view-contradicted",
    "View Position and View Code Sequence name different views. View Position was used.",
)
ORIENTATION_CONTRADICTED = QualityWarning(
    "orientation-contradicted",
    "According to Patient Orientation, the image is upside down, or its laterality is wrong.",
)
CHEST_WALL_CONTRADICTED = QualityWarning(
    "chest-wall-contradicted",
    "Patient Orientation and the pixels disagree on the side of the chest wall. The image may have "
    "been mirrored. The side shown by the pixels was used.",
)
IMPLANT = QualityWarning(
    "implant",
    "The breast has an implant, which may have been displaced for this view. It may hide tissue or "
    "attract the heat of a heatmap.",
)
SPOT_VIEW = QualityWarning(
    "spot-view",
    "The image is a spot compression, magnification or partial view. It shows only a part of the "
    "breast.",
)
SYNTHESISED = QualityWarning(
    "synthesised",
    "The image was computed from a tomosynthesis. It is not an X-ray exposure.",
)
CONTRAST_ENHANCED = QualityWarning(
    "contrast-enhanced",
    "The image is from a contrast-enhanced examination. Its grey values have a different meaning.",
)
BIOPSY = QualityWarning(
    "biopsy-view",
    "The image was taken for a biopsy. It shows a small field, possibly with a needle.",
)
BURNED_IN = QualityWarning(
    "burned-in-annotation",
    "According to its header, the image has burned-in text that may name the patient. Pictures "
    "made from the image show that text.",
)


_IMAGE_CLASS = "Image Storage"
# Modalities of digitised films and of secondary captures.
_FILM_MODALITIES = {"CR", "OT", "RG", "SC"}


def require_mammogram(identity: ImageIdentity) -> None:
    """Refuse an image whose header names something other than a mammogram for presentation.

    Raises:
        NotAMammogram, Tomosynthesis, SeveralFrames, ForProcessing: according to the kind of image.
    """
    _require_image(identity)
    _require_mammography(identity)

    if identity.view == SPECIMEN:
        raise NotAMammogram("The image shows a specimen, not a breast.")
    if identity.other_body_part and not _is_mammography(identity):
        part = identity.other_body_part
        raise NotAMammogram(
            f"The file's body part is {part}. Only images of the breast are accepted."
        )
    if identity.frames != 1:
        raise SeveralFrames("The file has several frames. Send one two-dimensional mammogram.")


def _require_mammography(identity: ImageIdentity) -> None:
    """Refuse images of other modalities and classes, tomosynthesis and raw images."""
    sop_class = identity.sop_class
    is_film = _is_film(identity)

    if identity.modality not in {"MG", None} and not is_film:
        # Modalities have two letters. A longer text may be anything and is not repeated.
        is_term = re.fullmatch("[A-Z]{2}", identity.modality)
        name = identity.modality if is_term else "not MG"
        raise NotAMammogram(f"The image's modality is {name}. Only mammograms (MG) are accepted.")

    if sop_class in _TOMOSYNTHESIS_CLASSES or identity.tomosynthesis:
        raise Tomosynthesis(
            "The file is part of a breast tomosynthesis. Only two-dimensional mammograms are "
            "accepted."
        )

    if identity.for_processing or sop_class == DigitalMammographyXRayImageStorageForProcessing:
        raise ForProcessing("The mammogram is a raw image (FOR PROCESSING).")

    # A general class is accepted only if something else tells that the image is a mammogram.
    is_general = sop_class in _GENERAL_CLASSES
    if not identity.in_mammography_class and not (
        is_general and (identity.modality == "MG" or is_film)
    ):
        raise NotAMammogram(
            "The image's SOP class is not Digital Mammography X-Ray Image Storage - For "
            "Presentation."
        )


def _require_image(identity: ImageIdentity) -> None:
    """Refuse objects that are no images by their SOP class, whose name tells their kind."""
    sop_class = identity.sop_class or identity.media_class
    is_standard = sop_class.name != sop_class
    if is_standard and _IMAGE_CLASS not in sop_class.name:
        kind = sop_class.name.removesuffix(" Storage")
        raise NotAMammogram(f"The DICOM file is not a mammogram, but of the class {kind}.")

    if sop_class and not is_standard and not identity.has_pixels:
        raise NotAMammogram("The DICOM file has no image, and its SOP class is not a standard one.")


def _is_film(identity: ImageIdentity) -> bool:
    """Return whether body part and view show that an image of another modality is a mammogram."""
    return (
        identity.modality in {*_FILM_MODALITIES, None}
        and (identity.in_mammography_class or identity.sop_class in _GENERAL_CLASSES)
        and identity.shows_breast
        and identity.view is not None
    )


def unreadable_warning(keywords: Iterable[str]) -> tuple[QualityWarning, ...]:
    """Return the warning that names the elements that cannot be read, if there are any."""
    names = ", ".join(sorted(map(dictionary_description, keywords)))
    message = f"Values in the header cannot be read and count as missing: {names}."
    return (QualityWarning("header-value-unreadable", message),) if names else ()


def warnings(identity: ImageIdentity) -> tuple[QualityWarning, ...]:
    """Return the warnings about an accepted image."""
    applies = {
        NO_MODALITY: identity.modality is None,
        FILM: identity.modality in _FILM_MODALITIES,
        GENERAL_CLASS: identity.sop_class in _GENERAL_CLASSES,
        BODY_PART_CONTRADICTED: identity.other_body_part is not None,
        LATERALITY_CONTRADICTED: identity.laterality_contradicted,
        VIEW_CONTRADICTED: identity.view_contradicted,
        ORIENTATION_CONTRADICTED: contradicts_orientation(identity),
        IMPLANT: identity.implant or IMPLANT_DISPLACED in identity.view_modifiers,
        SPOT_VIEW: identity.partial_view
        or {MAGNIFICATION, SPOT_COMPRESSION} & {*identity.view_modifiers},
        SYNTHESISED: identity.derivation == "synthesised",
        CONTRAST_ENHANCED: identity.derivation == "contrast-enhanced",
        BIOPSY: identity.derivation == "biopsy",
        BURNED_IN: identity.burned_in_annotation,
    }

    return tuple(warning for warning, condition in applies.items() if condition)


def side_warnings(facts: ImageFacts, side: Side) -> tuple[QualityWarning, ...]:
    """Compare the side of the chest wall in the header with the side shown by the pixels.

    A row that runs to the anterior begins at the chest wall (PS3.3 C.7.6.1.1.1). Without Patient
    Orientation there is no warning: a left breast often has its chest wall on the right.
    """
    if facts.patient_orientation is None:
        return ()

    row_direction = facts.patient_orientation[0]
    expected = {"A": "left", "P": "right"}.get(row_direction[0], side)
    return (CHEST_WALL_CONTRADICTED,) if expected != side else ()


def _is_mammography(identity: ImageIdentity) -> bool:
    return identity.modality == "MG" and identity.sop_class == MAMMOGRAPHY


def contradicts_orientation(identity: ImageIdentity | ImageFacts) -> bool:
    """Return whether columns run to the head, or away from the middle of the body.

    Example of the latter: the columns of a left breast's CC view run to the left.
    """
    if identity.patient_orientation is None:
        return False

    column_direction = identity.patient_orientation[1]
    if identity.view not in {"CC", "MLO"} or identity.laterality is None:
        return "H" in column_direction
    return "H" in column_direction or identity.laterality in column_direction
