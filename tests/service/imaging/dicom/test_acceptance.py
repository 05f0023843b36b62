"""The identity in the header: how it is read, and which images get warnings or are refused."""

from collections.abc import Callable

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import BreastTomosynthesisImageStorage, ComputedRadiographyImageStorage

from service.errors import ImageError, NotAMammogram, SeveralFrames, Tomosynthesis
from service.imaging import decode, read
from service.imaging.dicom.identity import _MODIFIER_CODES, _VIEW_CODES, SPECIMEN
from service.records import FitParameters, ImageFacts, Pixels

WriteDicom = Callable[..., bytes]

GRID = FitParameters(96, 72)
WINDOW = {"BitsStored": 12, "WindowCenter": 2048, "WindowWidth": 4096}
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
    assert {name: _VIEW_CODES[concept.value] for name, concept in concepts.items()} == VIEWS


def test_modifier_codes_match_the_standard() -> None:
    for concept in codes.cid4015.concepts.values():
        assert _MODIFIER_CODES[concept.value].lower() == concept.meaning.lower()


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
