"""The identity in the header: how it is read, and which images get warnings or are refused."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread, uid
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import (
    UID,
    BreastProjectionXRayImageStorageForPresentation,
    BreastTomosynthesisImageStorage,
    ComputedRadiographyImageStorage,
    EncapsulatedPDFStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    KeyObjectSelectionDocumentStorage,
    MammographyCADSRStorage,
    MediaStorageDirectoryStorage,
    RTPlanStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
    XRayRadiationDoseSRStorage,
)

from service.errors import (
    CorruptImage,
    ImageError,
    NotAMammogram,
    SeveralFrames,
    Tomosynthesis,
)
from service.imaging import decode, read
from service.imaging.dicom.terms import MODIFIER_CODES, SPECIMEN, VIEW_CODES
from service.records import FitParameters, ImageFacts, Pixels

WriteDicom = Callable[..., bytes]

GRID = FitParameters(96, 72)
WINDOW = {"BitsStored": 12, "WindowCenter": 2048, "WindowWidth": 4096}
FILM = {"BodyPartExamined": "BREAST", "ViewPosition": "CC"}
NO_IMAGE = {"PixelData": None, "Rows": None, "Columns": None}
# The classes of the standard that hold no images, or pixels that are no image.
OTHER_CLASSES = [
    value
    for value in vars(uid).values()
    if isinstance(value, UID) and value.type == "SOP Class" and "Image Storage" not in value.name
]
# Names in the standard, to the terms that are reported.
VIEWS = {
    "CaudoCranial": "FB",
    "CranioCaudal": "CC",
    "CranioCaudalExaggeratedLaterally": "XCCL",
    "CranioCaudalExaggeratedMedially": "XCCM",
    "InferomedialToSuperolateralOblique": "ISO",
    "LateroMedial": "LM",
    "LateroMedialOblique": "LMO",
    "MedioLateralObliqueProjection": "MLO",
    "MedioLateralProjection": "ML",
    "SuperolateralToInferomedialOblique": "SIO",
    "TissueSpecimenFromBreast": SPECIMEN,
}


def code(value: str, **more: object) -> Dataset:
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = "SCT"
    item.CodeMeaning = "Doe^Jane"
    for keyword, content in more.items():
        setattr(item, keyword, content)
    return item


def codes_of(data: bytes) -> list[str]:
    """The codes of all warnings, from decoding to fitting."""
    return [warning.code for warning in read(data, GRID).warnings]


@pytest.fixture
def facts(write_dicom: WriteDicom, breast: Pixels) -> Callable[..., ImageFacts]:
    return lambda **elements: decode(write_dicom(breast, **(WINDOW | elements))).facts


@pytest.fixture
def warnings(write_dicom: WriteDicom, breast: Pixels) -> Callable[..., list[str]]:
    return lambda **elements: codes_of(write_dicom(breast, **(WINDOW | elements)))


def test_view_codes_match_the_standard() -> None:
    concepts = codes.cid4014.concepts
    assert {name: VIEW_CODES[concept.value] for name, concept in concepts.items()} == VIEWS


def test_modifier_codes_match_the_standard() -> None:
    for concept in codes.cid4015.concepts.values():
        assert MODIFIER_CODES[concept.value].lower() == concept.meaning.lower()


@pytest.mark.parametrize("value", ["399368009", "R-10226"])
def test_view_code_is_used_without_view_position(
    facts: Callable[..., ImageFacts], value: str
) -> None:
    assert facts(ViewCodeSequence=[code(value)]).view == "MLO"


def test_view_position_takes_precedence_over_view_code(
    facts: Callable[..., ImageFacts], warnings: Callable[..., list[str]]
) -> None:
    elements = {"ViewPosition": "CC", "ViewCodeSequence": [code("399368009")]}

    assert facts(**elements).view == "CC"
    assert warnings(**elements) == ["view-contradicted"]
    assert warnings(ViewPosition="XCC", ViewCodeSequence=[code("399192008")]) == []


def test_image_laterality_takes_precedence_over_laterality(
    facts: Callable[..., ImageFacts], warnings: Callable[..., list[str]]
) -> None:
    assert facts(ImageLaterality="L", Laterality="R").laterality == "L"
    assert facts(Laterality="R").laterality == "R"
    assert warnings(ImageLaterality="L", Laterality="R") == ["laterality-contradicted"]
    assert warnings(ImageLaterality="L", Laterality="L") == []


# The breast lies at the left edge: the chest wall is on the left.
@pytest.mark.parametrize(
    ("laterality", "view", "orientation", "expected"),
    [
        ("L", "CC", ["A", "R"], []),
        ("L", "MLO", ["A", "FR"], []),
        ("L", "MLO", ["AF", "FR"], []),
        ("R", "CC", ["P", "L"], ["chest-wall-contradicted"]),
        ("R", "CC", ["A", "L"], []),
        ("L", "CC", ["A", "L"], ["orientation-contradicted"]),
        ("L", "MLO", ["A", "HL"], ["orientation-contradicted"]),
        ("R", "MLO", ["A", "FR"], ["orientation-contradicted"]),
        ("L", "ML", ["A", "F"], []),
        ("L", "ML", ["A", "H"], ["orientation-contradicted"]),
        ("R", "CC", None, []),
        ("L", "CC", None, []),
        (None, None, None, []),
    ],
)
def test_orientation_is_checked_against_view_and_pixels(
    warnings: Callable[..., list[str]],
    laterality: str | None,
    view: str | None,
    orientation: object,
    expected: list[str],
) -> None:
    """The orientation is checked against the laterality, too."""
    codes = warnings(ImageLaterality=laterality, ViewPosition=view, PatientOrientation=orientation)

    assert codes == expected


def test_mirrored_image_contradicts_its_orientation(
    write_dicom: WriteDicom, breast: Pixels
) -> None:
    mirrored = write_dicom(
        np.fliplr(breast), ImageLaterality="L", PatientOrientation=["A", "R"], **WINDOW
    )
    assert codes_of(mirrored) == ["chest-wall-contradicted"]


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"BreastImplantPresent": "YES"}, "implant"),
        (
            {"ViewCodeSequence": [code("399162004", ViewModifierCodeSequence=[code("399209000")])]},
            "implant",
        ),
        ({"PartialView": "YES"}, "spot-view"),
        (
            {"ViewCodeSequence": [code("399162004", ViewModifierCodeSequence=[code("399055006")])]},
            "spot-view",
        ),
        (
            {"ViewCodeSequence": [code("R-10242", ViewModifierCodeSequence=[code("R-102D6")])]},
            "spot-view",
        ),
        ({"PaddleDescription": "10CM SPOT"}, "spot-view"),
        ({"EstimatedRadiographicMagnificationFactor": "1.8"}, "spot-view"),
        ({"BurnedInAnnotation": "YES"}, "burned-in-annotation"),
        ({"ImageType": ["DERIVED", "PRIMARY", "TOMOSYNTHESIS", "GENERATED_2D"]}, "synthesised"),
        (
            {"ImageType": ["DERIVED", "PRIMARY", "POST_CONTRAST", "SUBTRACTION"]},
            "contrast-enhanced",
        ),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "STEREO_PLUS"]}, "biopsy-view"),
        ({"ImageType": ["DERIVED", "PRIMARY", "TOMO", "GENERATED_2D"]}, "synthesised"),
        ({"ImageType": ["DERIVED", "PRIMARY", "TOMO", "CVIEW"]}, "synthesised"),
        ({"Modality": "CR", **FILM}, "digitised-film"),
        ({"BodyPartExamined": "CHEST"}, "body-part-contradicted"),
        ({"Modality": None, "SOPClassUID": None}, "modality-missing"),
        ({"SOPClassUID": ComputedRadiographyImageStorage}, "general-sop-class"),
        ({"WindowCenter": None}, "no-window"),
        ({"PresentationLUTShape": "INVERSE"}, "polarity-contradicted"),
    ],
)
def test_unusual_images_are_read_with_a_warning(
    warnings: Callable[..., list[str]], elements: dict[str, object], expected: str
) -> None:
    assert warnings(**elements) == [expected]


@pytest.mark.parametrize(
    "elements",
    [
        {"BreastImplantPresent": "NO", "PartialView": "NO", "BurnedInAnnotation": "NO"},
        {"PaddleDescription": "18x24 FLEX", "EstimatedRadiographicMagnificationFactor": "1.08"},
        {
            "ImageType": ["DERIVED", "PRIMARY"],
            "BodyPartExamined": "BREAST",
            "PresentationLUTShape": "IDENTITY",
        },
        {"AnatomicRegionSequence": [code("T-04000")], "BodyPartExamined": "CHEST"},
    ],
)
def test_usual_images_are_read_without_warning(
    warnings: Callable[..., list[str]], elements: dict[str, object]
) -> None:
    assert warnings(**elements) == []


@pytest.mark.parametrize(
    ("elements", "error", "message"),
    [
        (
            {"ImageType": ["DERIVED", "PRIMARY", "TOMO_PROJ", "LEFT"]},
            Tomosynthesis,
            "tomosynthesis",
        ),
        (
            {"SOPClassUID": BreastTomosynthesisImageStorage, "NumberOfFrames": 50},
            Tomosynthesis,
            "tomosynthesis",
        ),
        (
            {"SOPClassUID": BreastProjectionXRayImageStorageForPresentation},
            Tomosynthesis,
            "tomosynthesis",
        ),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "TOMO"]}, Tomosynthesis, "tomosynthesis"),
        ({"NumberOfFrames": 50}, SeveralFrames, "frames"),
        ({"ViewCodeSequence": [code("G-8310")]}, NotAMammogram, "specimen"),
        (
            {"BodyPartExamined": "CHEST", "Modality": None, "SOPClassUID": None},
            NotAMammogram,
            "body part",
        ),
        (
            {"BodyPartExamined": "HAND", "SOPClassUID": ComputedRadiographyImageStorage},
            NotAMammogram,
            "body part",
        ),
        ({"Modality": "DX"}, NotAMammogram, "DX"),
        ({"Modality": "DX", **FILM}, NotAMammogram, "DX"),
        ({"SOPClassUID": SegmentationStorage}, NotAMammogram, "Segmentation"),
        ({"SOPClassUID": "1.2.3.4"}, NotAMammogram, "Digital Mammography"),
    ],
)
def test_other_kinds_of_image_are_refused(
    write_dicom: WriteDicom,
    breast: Pixels,
    elements: dict[str, object],
    error: type[ImageError],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        decode(write_dicom(breast, **(WINDOW | elements)))


@pytest.mark.parametrize(
    ("sop_class", "modality", "name"),
    [
        (MammographyCADSRStorage, "SR", "Mammography CAD SR"),
        (XRayRadiationDoseSRStorage, "SR", "X-Ray Radiation Dose SR"),
        (GrayscaleSoftcopyPresentationStateStorage, "PR", "Grayscale Softcopy Presentation State"),
        (KeyObjectSelectionDocumentStorage, "KO", "Key Object Selection Document"),
        (EncapsulatedPDFStorage, "DOC", "Encapsulated PDF"),
        (RTPlanStorage, "RTPLAN", "RT Plan"),
    ],
)
@pytest.mark.parametrize("preamble", [True, False])
def test_objects_without_image_are_named(
    write_dicom: WriteDicom,
    breast: Pixels,
    sop_class: str,
    modality: str,
    name: str,
    preamble: bool,
) -> None:
    data = write_dicom(
        breast, preamble=preamble, SOPClassUID=sop_class, Modality=modality, **NO_IMAGE
    )

    with pytest.raises(NotAMammogram, match=f"of the class {name}."):
        decode(data)


def test_no_class_without_image_is_damaged(write_dicom: WriteDicom) -> None:
    placeholder = "1.2.3." + "4" * 40
    data = write_dicom(
        np.zeros((2, 2), np.uint8), SOPClassUID=placeholder, Modality=None, **NO_IMAGE
    )

    assert len(OTHER_CLASSES) > 100
    for sop_class in OTHER_CLASSES:
        written = sop_class.encode().ljust(len(placeholder), b"\0")
        with pytest.raises(NotAMammogram, match="of the class"):
            decode(data.replace(placeholder.encode(), written))


def test_directory_is_no_mammogram(write_dicom: WriteDicom, breast: Pixels) -> None:
    """A DICOMDIR names its class in the file meta information alone."""
    directory = dcmread(BytesIO(write_dicom(breast, SOPClassUID=None, Modality=None, **NO_IMAGE)))
    directory.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    stream = BytesIO()
    directory.save_as(stream)

    with pytest.raises(NotAMammogram, match="Media Storage Directory"):
        decode(stream.getvalue())


def test_image_class_without_pixels_is_damaged(write_dicom: WriteDicom, breast: Pixels) -> None:
    with pytest.raises(CorruptImage, match="no pixel data"):
        decode(write_dicom(breast, **NO_IMAGE))
    with pytest.raises(NotAMammogram, match="not a standard one"):
        decode(write_dicom(breast, SOPClassUID="1.2.3.4", **NO_IMAGE))


@pytest.mark.parametrize("number", [0x7E011010, 0x7E011011])
@pytest.mark.parametrize("image", [{}, NO_IMAGE])
def test_private_tomosynthesis_is_refused(
    write_dicom: WriteDicom, breast: Pixels, number: int, image: dict[str, None]
) -> None:
    owned = dcmread(BytesIO(write_dicom(breast, SOPClassUID=SecondaryCaptureImageStorage, **image)))
    owned.add_new(0x7E010010, "LO", "HOLOGIC, Inc.")
    frames = Dataset()
    frames.add_new(0x7E010010, "LO", "HOLOGIC, Inc.")
    frames.add_new(0x7E011012, "OB", bytes(100))
    owned.add_new(number, "SQ", [frames])
    stream = BytesIO()
    owned.save_as(stream)

    with pytest.raises(Tomosynthesis):
        decode(stream.getvalue())


@pytest.mark.parametrize("modality", ["RG", "CR", "OT", "SC"])
@pytest.mark.parametrize(
    "sop_class", [SecondaryCaptureImageStorage, ComputedRadiographyImageStorage]
)
@pytest.mark.parametrize(
    "elements",
    [
        FILM,
        {"AnatomicRegionSequence": [code("T-04030")], "ViewCodeSequence": [code("399368009")]},
    ],
)
def test_film_is_told_by_breast_and_view(
    warnings: Callable[..., list[str]], modality: str, sop_class: str, elements: dict[str, object]
) -> None:
    film = {"Modality": modality, "SOPClassUID": sop_class, **elements}

    assert warnings(**film) == ["digitised-film", "general-sop-class"]


@pytest.mark.parametrize("missing", [*FILM, "both"])
@pytest.mark.parametrize("modality", ["RG", "CR", "OT", "SC", None])
def test_film_without_breast_or_view_is_refused(
    write_dicom: WriteDicom, breast: Pixels, modality: str | None, missing: str
) -> None:
    stated = {keyword: value for keyword, value in FILM.items() if missing not in {keyword, "both"}}
    data = write_dicom(
        breast, Modality=modality, SOPClassUID=SecondaryCaptureImageStorage, **stated
    )

    with pytest.raises(NotAMammogram):
        decode(data)


def test_breast_and_view_replace_a_missing_modality(warnings: Callable[..., list[str]]) -> None:
    elements = {"Modality": None, "SOPClassUID": SecondaryCaptureImageStorage, **FILM}
    assert warnings(**elements) == ["modality-missing", "general-sop-class"]


def test_identity_is_reported_in_facts(facts: Callable[..., ImageFacts]) -> None:
    reported = facts(
        ImageLaterality="L",
        ViewCodeSequence=[
            code("399162004", ViewModifierCodeSequence=[code("399197002"), code("399163009")])
        ],
        PatientOrientation=["A", "R"],
        BreastImplantPresent="YES",
        PartialView="NO",
        BurnedInAnnotation="NO",
        LossyImageCompression="01",
        ImageType=["DERIVED", "PRIMARY", "", "GENERATED_2D"],
    )

    assert reported.laterality == "L"
    assert reported.view == "CC"
    assert reported.patient_orientation == ("A", "R")
    assert reported.view_modifiers == ("Magnification", "Rolled Lateral")
    assert reported.implant is True
    assert reported.partial_view is False
    assert reported.burned_in_annotation is False
    assert reported.lossy is True
    assert reported.derivation == "synthesised"


def test_texts_outside_the_standard_are_dropped(facts: Callable[..., ImageFacts]) -> None:
    reported = facts(
        ViewCodeSequence=[code("DOE", ViewModifierCodeSequence=[code("JANE")])],
        ViewPosition="DOE",
        PatientOrientation=["DOE", "JANE"],
        BodyPartExamined="DOE JANE",
        ImageType=["DOE", "JANE"],
        PaddleDescription="DOE JANE",
    )

    assert "DOE" not in repr(reported)
    assert "JANE" not in repr(reported)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("negative", [False, True])
def test_air_is_black_if_polarity_is_contradicted(
    write_dicom: WriteDicom, breast: Pixels, photometric: str, negative: bool
) -> None:
    shape = "INVERSE" if photometric == "MONOCHROME2" else "IDENTITY"
    stored = 4095 - breast if negative else breast
    data = write_dicom(
        stored, BitsStored=12, PhotometricInterpretation=photometric, PresentationLUTShape=shape
    )

    assert np.array_equal(decode(data).pixels, decode(write_dicom(breast, BitsStored=12)).pixels)
