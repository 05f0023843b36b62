"""Side and view that the caller names, beside those of the header."""

from collections.abc import Callable

import pytest

from service.imaging import NamingReader, Read, Reading, read
from service.records import FitParameters, Laterality, NamedFacts, Pixels, View

WriteDicom = Callable[..., bytes]
GRID = FitParameters(96, 72)


def read_named(data: bytes, *named: NamedFacts) -> Reading:
    reader: Read = read
    for facts in named:
        reader = NamingReader(reader, facts)
    return reader(data, GRID)


def codes(reading: Reading) -> list[str]:
    return [warning.code for warning in reading.warnings]


def test_named_facts_fill_what_header_lacks(write_dicom: WriteDicom, breast: Pixels) -> None:
    data = write_dicom(breast, BitsStored=12, ViewPosition="MLO")

    plain = read_named(data)
    named = read_named(data, NamedFacts("R", View.MLO))

    assert (plain.facts.laterality, plain.facts.laterality_source) == (None, None)
    assert (named.facts.laterality, named.facts.laterality_source) == ("R", "caller")
    assert (named.facts.view, named.facts.view_source) == ("MLO", "header")
    assert named.warnings == plain.warnings
    assert named.fitted.side == plain.fitted.side == "left"


@pytest.mark.parametrize(
    ("laterality", "view", "said"),
    [
        ("R", None, "another side than"),
        (None, View.CC, "another view than"),
        ("R", View.CC, "another side and another view than"),
    ],
)
def test_header_counts_and_contradiction_is_told(
    write_dicom: WriteDicom,
    breast: Pixels,
    laterality: Laterality | None,
    view: View | None,
    said: str,
) -> None:
    data = write_dicom(breast, BitsStored=12, ImageLaterality="L", ViewPosition="MLO")

    reading = read_named(data, NamedFacts(laterality, view))

    assert (reading.facts.laterality, reading.facts.view) == ("L", "MLO")
    assert (reading.facts.laterality_source, reading.facts.view_source) == ("header", "header")
    (warning,) = [each for each in reading.warnings if each.code == "caller-contradicted"]
    assert said in warning.message
    assert warning.message.startswith("The caller names")


@pytest.mark.parametrize(("header", "view"), [("XCC", View.XCCL), ("CC", View.CV), ("ML", View.ML)])
def test_other_word_for_one_view_is_no_contradiction(
    write_dicom: WriteDicom, breast: Pixels, header: str, view: View
) -> None:
    data = write_dicom(breast, BitsStored=12, ImageLaterality="L", ViewPosition=header)

    reading = read_named(data, NamedFacts("L", view))

    assert reading.facts.view == header
    assert "caller-contradicted" not in codes(reading)


def test_file_name_comes_after_caller(write_dicom: WriteDicom, breast: Pixels) -> None:
    """A name that differs from the caller's own word is no contradiction."""
    data = write_dicom(breast, BitsStored=12)
    name = NamedFacts("R", View.CC, "file-name")

    reading = read_named(data, NamedFacts("L"), name)

    assert (reading.facts.laterality, reading.facts.laterality_source) == ("L", "caller")
    assert (reading.facts.view, reading.facts.view_source) == ("CC", "file-name")
    assert "caller-contradicted" not in codes(reading)


def test_named_side_is_held_against_orientation(write_dicom: WriteDicom, breast: Pixels) -> None:
    """The columns of a left breast's view run to the right, as those of a header's would."""
    data = write_dicom(breast, BitsStored=12, PatientOrientation=["A", "R"])

    left = read_named(data, NamedFacts("L", View.CC))
    right = read_named(data, NamedFacts("R", View.CC))

    assert "orientation-contradicted" not in codes(left)
    assert codes(right).count("orientation-contradicted") == 1


@pytest.mark.parametrize("view", list(View))
def test_every_view_is_a_term_of_headers(
    write_dicom: WriteDicom, breast: Pixels, view: View
) -> None:
    data = write_dicom(breast[::4, ::4], BitsStored=12, ViewPosition=view.value)

    assert read(data, GRID).facts.view == view
