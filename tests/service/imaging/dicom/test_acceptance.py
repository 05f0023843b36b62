"""What a file says it shows: read, told, and accepted, cautioned of or refused."""

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
# what the standard calls them -> how they are told
VIEWS = {
    "CaudoCranial": "FB", "CranioCaudal": "CC", "CranioCaudalExaggeratedLaterally": "XCCL",
    "CranioCaudalExaggeratedMedially": "XCCM", "InferomedialToSuperolateralOblique": "ISO", "LateroMedial": "LM",
    "LateroMedialOblique": "LMO", "MedioLateralObliqueProjection": "MLO", "MedioLateralProjection": "ML",
    "SuperolateralToInferomedialOblique": "SIO", "TissueSpecimenFromBreast": SPECIMEN,
}  # fmt: skip


def code(value: str, **more: object) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", "Doe^Jane"
    for keyword, content in more.items():
        setattr(item, keyword, content)
    return item


def codes_of(data: bytes) -> list[str]:
    """The codes of all warnings over the whole way."""
    return [warning.code for warning in read(data, GRID).warnings]


@pytest.fixture
def facts(write_dicom: WriteDicom, breast: Pixels) -> Callable[..., ImageFacts]:
    return lambda **elements: decode(write_dicom(breast, **(WINDOW | elements))).facts


@pytest.fixture
def warnings(write_dicom: WriteDicom, breast: Pixels) -> Callable[..., list[str]]:
    return lambda **elements: codes_of(write_dicom(breast, **(WINDOW | elements)))


def test_view_codes_are_those_of_the_standard() -> None:
    concepts = codes.cid4014.concepts
    assert {name: _VIEW_CODES[concept.value] for name, concept in concepts.items()} == VIEWS


def test_modifier_codes_are_those_of_the_standard() -> None:
    for concept in codes.cid4015.concepts.values():
        assert _MODIFIER_CODES[concept.value].lower() == concept.meaning.lower()


@pytest.mark.parametrize("value", ["399368009", "R-10226"])
def test_view_is_taken_from_its_code_where_there_is_no_position(
    facts: Callable[..., ImageFacts], value: str
) -> None:
    assert facts(ViewCodeSequence=[code(value)]).view == "MLO"


def test_view_position_counts_where_the_code_is_another(
    facts: Callable[..., ImageFacts], warnings: Callable[..., list[str]]
) -> None:
    elements = {"ViewPosition": "CC", "ViewCodeSequence": [code("399368009")]}
    assert facts(**elements).view == "CC"
    assert warnings(**elements) == ["view-contradicted"]
    assert warnings(ViewPosition="XCC", ViewCodeSequence=[code("399192008")]) == []


def test_image_laterality_counts_where_laterality_is_another(
    facts: Callable[..., ImageFacts], warnings: Callable[..., list[str]]
) -> None:
    assert facts(ImageLaterality="L", Laterality="R").laterality == "L"
    assert facts(Laterality="R").laterality == "R"
    assert warnings(ImageLaterality="L", Laterality="R") == ["laterality-contradicted"]
    assert warnings(ImageLaterality="L", Laterality="L") == []


# the breast lies at the left edge: chest wall left
@pytest.mark.parametrize(
    ("laterality", "view", "orientation", "given"),
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
def test_orientation_is_held_against_laterality_view_and_pixels(
    warnings: Callable[..., list[str]],
    laterality: str | None,
    view: str | None,
    orientation: object,
    given: list[str],
) -> None:
    assert (
        warnings(ImageLaterality=laterality, ViewPosition=view, PatientOrientation=orientation)
        == given
    )


def test_a_mirrored_image_contradicts_its_orientation(
    write_dicom: WriteDicom, breast: Pixels
) -> None:
    mirrored = write_dicom(
        np.fliplr(breast), ImageLaterality="L", PatientOrientation=["A", "R"], **WINDOW
    )
    assert codes_of(mirrored) == ["chest-wall-contradicted"]


@pytest.mark.parametrize(
    ("elements", "given"),
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
def test_unusual_images_are_taken_with_a_caution(
    warnings: Callable[..., list[str]], elements: dict[str, object], given: str
) -> None:
    assert warnings(**elements) == [given]


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
def test_usual_images_are_taken_without(
    warnings: Callable[..., list[str]], elements: dict[str, object]
) -> None:
    assert warnings(**elements) == []


@pytest.mark.parametrize(
    ("elements", "error", "said"),
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
            "CHEST",
        ),
        (
            {"BodyPartExamined": "HAND", "SOPClassUID": ComputedRadiographyImageStorage},
            NotAMammogram,
            "HAND",
        ),
        ({"Modality": "DX"}, NotAMammogram, "DX"),
    ],
)
def test_what_says_that_it_is_something_else_is_refused(
    write_dicom: WriteDicom,
    breast: Pixels,
    elements: dict[str, object],
    error: type[ImageError],
    said: str,
) -> None:
    with pytest.raises(error, match=said):
        decode(write_dicom(breast, **(WINDOW | elements)))


def test_all_of_it_is_told(facts: Callable[..., ImageFacts]) -> None:
    told = facts(
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
    assert (told.laterality, told.view, told.patient_orientation) == ("L", "CC", ("A", "R"))
    assert told.view_modifiers == ("Magnification", "Rolled Lateral")
    assert (told.implant, told.partial_view, told.burned_in_annotation, told.lossy) == (
        True,
        False,
        False,
        True,
    )
    assert told.derivation == "synthesised"


def test_a_text_that_is_no_term_of_the_standard_is_not_told(
    facts: Callable[..., ImageFacts],
) -> None:
    told = facts(
        ViewCodeSequence=[code("DOE", ViewModifierCodeSequence=[code("JANE")])],
        ViewPosition="DOE",
        PatientOrientation=["DOE", "JANE"],
        BodyPartExamined="DOE JANE",
        ImageType=["DOE", "JANE"],
        PaddleDescription="DOE JANE",
    )
    assert "DOE" not in repr(told)
    assert "JANE" not in repr(told)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("negative", [False, True])
def test_where_the_header_contradicts_itself_on_polarity_air_is_black(
    write_dicom: WriteDicom, breast: Pixels, photometric: str, negative: bool
) -> None:
    shape = "INVERSE" if photometric == "MONOCHROME2" else "IDENTITY"
    stored = 4095 - breast if negative else breast
    data = write_dicom(
        stored, BitsStored=12, PhotometricInterpretation=photometric, PresentationLUTShape=shape
    )
    assert np.array_equal(decode(data).pixels, decode(write_dicom(breast, BitsStored=12)).pixels)
