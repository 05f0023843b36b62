"""Identity of a DICOM image: its kind, the breast, the view, and how it was made.

Only the elements named here are kept. None of them identifies a person, except the image's UID.
Texts that are not terms of the standard are dropped, because they may hold anything, even a name.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from pydicom import config
from pydicom.tag import Tag
from pydicom.uid import UID, DigitalMammographyXRayImageStorageForPresentation

from service.imaging.dicom import spacing
from service.imaging.dicom.elements import Elements
from service.imaging.dicom.spacing import Spacing, magnification, read_spacing
from service.imaging.dicom.terms import (
    BREAST_CODES,
    DERIVATIONS,
    INTENTS,
    LATERALITIES,
    MAGNIFICATION,
    MODIFIER_CODES,
    OTHER_BODY_PARTS,
    SPOT_COMPRESSION,
    TOMOSYNTHESIS_TYPES,
    VIEW_CODES,
    VIEWS,
)
from service.imaging.dicom.values import read_value
from service.records import Derivation, Laterality

KEYWORDS = [
    "SOPClassUID", "SOPInstanceUID", "Modality", "PresentationIntentType", "ImageType",
    "NumberOfFrames", "BodyPartExamined", "AnatomicRegionSequence", "ImageLaterality", "Laterality",
    "ViewPosition", "ViewCodeSequence", "PatientOrientation", "PaddleDescription",
    "BreastImplantPresent", "PartialView", "BurnedInAnnotation", "LossyImageCompression",
    *spacing.KEYWORDS,
]  # fmt: skip
"""Elements that are read for the identity."""
# Hologic's frames of a tomosynthesis in a secondary capture: two sequences, and their owner.
_CODEC_SEQUENCES = (Tag(0x7E011010), Tag(0x7E011011))
_CODEC_OWNER = Tag(0x7E010010)
TAGS = (_CODEC_OWNER, *_CODEC_SEQUENCES)
"""Private elements that are read for the identity."""

MAMMOGRAPHY = DigitalMammographyXRayImageStorageForPresentation

T = TypeVar("T")

# Some writers put the laterality before the view, as in LMLO or R-CC. LAT is no axillary tail.
_SIDE_AND_VIEW = re.compile("(?:LEFT|RIGHT|L|R)[ _-]*(?!AT)([A-Z]{2,})")
# Contact views are magnified by less than 1.1, magnification views by 1.5 to 2.
_MIN_MAGNIFICATION = 1.4
_DIRECTION = re.compile("[APRLHF]{1,3}")


@dataclass(frozen=True, slots=True)
class ImageIdentity:
    """Identity of an image; None where the header does not state an attribute.

    `has_pixels`: there are pixel data and a size. `media_class`: the class that the file meta
    information states, empty without one. `shows_breast`: body part or anatomic region are
    the breast. `..._contradicted`: two elements name different values. The first of them is used.
    """

    has_pixels: bool
    sop_class: UID | None
    media_class: UID
    sop_instance_uid: str | None
    modality: str | None
    for_processing: bool
    tomosynthesis: bool
    derivation: Derivation | None
    frames: int
    shows_breast: bool
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

    @property
    def in_mammography_class(self) -> bool:
        """Whether the file is of the mammography class, or names no class."""
        return self.sop_class in {MAMMOGRAPHY, None}

    @property
    def is_standard_class(self) -> bool:
        """Whether the file names a SOP class of the standard."""
        return self.sop_class is not None and self.sop_class.name != self.sop_class


def read_identity(
    elements: Elements, media_class: str | None, *, has_pixels: bool
) -> ImageIdentity:
    """Read the identity from the elements of KEYWORDS and TAGS.

    `media_class`: the SOP class that the file meta information states.
    """
    image_type = {*elements.texts("ImageType")}
    derivation = next((name for name, types in DERIVATIONS.items() if image_type & types), None)
    is_tomosynthesis = bool(image_type & TOMOSYNTHESIS_TYPES) or _has_codec_content(elements)

    # Laterality and view: known terms only, from the element that takes precedence first.
    lateralities: list[Laterality] = _known(
        elements.term(keyword, LATERALITIES) for keyword in ("ImageLaterality", "Laterality")
    )
    view_codes = (elements.items("ViewCodeSequence") or [])[:1]
    views = _known(
        [_view(elements), *(VIEW_CODES.get(code.text("CodeValue") or "") for code in view_codes)]
    )

    part = elements.text("BodyPartExamined")
    regions = elements.items("AnatomicRegionSequence") or []
    in_breast = bool({region.text("CodeValue") for region in regions} & BREAST_CODES)

    # Plain text: pydicom's type checks its value again in the process that receives it, and quotes
    # it in a warning.
    instance = _uid(elements, "SOPInstanceUID")

    return ImageIdentity(
        has_pixels=has_pixels,
        sop_class=_uid(elements, "SOPClassUID"),
        media_class=UID(media_class or "", config.IGNORE),
        sop_instance_uid=None if instance is None else str(instance),
        modality=elements.text("Modality"),
        for_processing=elements.term("PresentationIntentType", INTENTS) is True,
        tomosynthesis=is_tomosynthesis and derivation != "synthesised",
        derivation=derivation,
        frames=_frames(elements),
        shows_breast=in_breast or part == "BREAST",
        other_body_part=part if part in OTHER_BODY_PARTS and not in_breast else None,
        laterality=next(iter(lateralities), None),
        laterality_contradicted=len(set(lateralities)) > 1,
        view=next(iter(views), None),
        view_contradicted=len(set(views) & set(VIEW_CODES.values())) > 1,
        view_modifiers=_view_modifiers(elements, view_codes),
        patient_orientation=_orientation(elements),
        implant=elements.flag("BreastImplantPresent"),
        partial_view=elements.flag("PartialView"),
        burned_in_annotation=elements.flag("BurnedInAnnotation"),
        lossy=elements.term("LossyImageCompression", {"01": True, "00": False}),
        spacing=read_spacing(elements),
    )


def _known(values: Iterable[T | None]) -> list[T]:
    return [value for value in values if value is not None]


def _uid(elements: Elements, keyword: str) -> UID | None:
    written = elements.text(keyword)
    if written is None or re.fullmatch(r"[\d.]{1,64}", written, re.ASCII):
        return UID(written, config.IGNORE) if written else None
    elements.mark(keyword)
    return None


def _frames(elements: Elements) -> int:
    """Return the number of frames. An image has one, unless a readable number says otherwise."""
    frames = elements.number("NumberOfFrames")
    if frames is None or not frames.is_integer() or frames < 0:
        if frames is not None:
            elements.mark("NumberOfFrames")
        return 1
    return max(1, int(frames))


def _has_codec_content(elements: Elements) -> bool:
    """Return whether the file has Hologic's private frames of a tomosynthesis."""
    owner = elements.element(_CODEC_OWNER)
    creator = (read_value(owner) if owner else None) or b""
    is_hologic = creator.upper().startswith(b"HOLOGIC")
    return is_hologic and any(map(elements.element, _CODEC_SEQUENCES))


def _view(elements: Elements) -> str | None:
    """Return the view of View Position, without a laterality before it."""
    written = elements.text("ViewPosition")
    if written is None or written in VIEWS:
        return written

    parts = _SIDE_AND_VIEW.fullmatch(written)
    if parts and parts[1] in VIEWS:
        return parts[1]
    elements.mark("ViewPosition")
    return None


def _view_modifiers(elements: Elements, view_codes: list[Elements]) -> tuple[str, ...]:
    """Return the view modifiers, by their codes, by the paddle and by the magnification."""
    codes = [code for view in view_codes for code in view.items("ViewModifierCodeSequence") or []]
    modifiers = {MODIFIER_CODES.get(code.text("CodeValue") or "") for code in codes} - {None}

    paddle = re.findall("[A-Z]+", " ".join(elements.texts("PaddleDescription")))
    if "SPOT" in paddle:
        modifiers.add(SPOT_COMPRESSION)

    if (magnification(elements) or 1) >= _MIN_MAGNIFICATION:
        modifiers.add(MAGNIFICATION)
    return tuple(sorted(name for name in modifiers if name))


def _orientation(elements: Elements) -> tuple[str, str] | None:
    """Return the directions in which a row and a column run."""
    match elements.texts("PatientOrientation"):
        case ():
            return None
        case (row, column) if _DIRECTION.fullmatch(row) and _DIRECTION.fullmatch(column):
            return row, column
    elements.mark("PatientOrientation")
    return None
