"""Patient and study of a source in an object: copied whole, and made valid."""

from dataclasses import replace
from io import BytesIO

import pytest
from pydicom import dcmwrite
from pydicom.dataset import Dataset

from service.errors import NotStorable
from service.imaging.dicom.object_keywords import OBJECT_KEYWORDS
from service.objects.copied_modules import COPIED, copy_modules
from service.objects.sources import Source, quiet, read_source
from tests.support.archive_objects import (
    change,
    exam_results,
    header_of,
    image_result,
    phantom_exam,
)

RESULTS = exam_results(phantom_exam())


def source_with(**elements: object) -> Source:
    """Return the first view, with changed elements of its header."""
    with quiet():
        file = phantom_exam().files[0]
        change(file, **elements)
        image = image_result(phantom_exam().files[0], 0)
        return read_source(replace(RESULTS, images=(replace(image, header=header_of(file)),)), 0)


def copied(**elements: object) -> Dataset:
    """Return the elements copied from such a header."""
    target = Dataset()
    with quiet():
        copy_modules(source_with(**elements).header, target)
    return target


def code(meaning: str | None) -> Dataset:
    item = Dataset()
    item.CodeValue = "24606-6"
    item.CodingSchemeDesignator = "LN"
    if meaning:
        item.CodeMeaning = meaning
    return item


def test_patient_and_study_are_copied_whole() -> None:
    target = copied(
        PatientName="Doe^Jane^Q",
        PatientID="17",
        IssuerOfPatientID="HOSPITAL",
        PatientAge="055Y",
        PatientSize="1.65",
        AccessionNumber="A17",
        ReferringPhysicianName="Grey^M",
        ProcedureCodeSequence=[code("MG Breast Screening")],
    )

    assert str(target.PatientName) == "Doe^Jane^Q"
    assert (target.PatientID, target.IssuerOfPatientID) == ("17", "HOSPITAL")
    assert (target.PatientAge, target.PatientSize) == ("055Y", 1.65)
    assert (target.AccessionNumber, target.ReferringPhysicianName) == ("A17", "Grey^M")
    assert target.ProcedureCodeSequence[0].CodeMeaning == "MG Breast Screening"


def test_what_target_had_before_is_replaced() -> None:
    target = Dataset()
    target.PatientComments = "of somebody else"

    copy_modules(source_with(PatientComments=None).header, target)

    assert "PatientComments" not in target


def test_names_in_other_scripts_keep_their_bytes() -> None:
    """Japanese as in PS3.5 H.3.1, with escape sequences."""
    written = (
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B"
    )
    target = copied(SpecificCharacterSet=["", "ISO 2022 IR 87"], PatientName=written)

    assert target.SpecificCharacterSet == ["", "ISO 2022 IR 87"]
    stream = BytesIO()
    dcmwrite(stream, target, implicit_vr=False, little_endian=True)
    assert written in stream.getvalue()


def test_missing_elements_are_there_without_value() -> None:
    target = copied(StudyDate=None, PatientName=None, ReferringPhysicianName=None)

    assert target.StudyDate == target.PatientName == target.ReferringPhysicianName == ""


def test_long_text_is_cut() -> None:
    target = copied(StudyDescription="s" * 90, PatientName="n" * 90)

    assert target.StudyDescription == "s" * 64
    assert str(target.PatientName) == "n" * 64


def test_long_identifiers_are_left_out() -> None:
    """A part of an identifier would name something else."""
    target = copied(AccessionNumber="1" * 20, IssuerOfPatientID="i" * 90)

    assert target.AccessionNumber == ""
    assert "IssuerOfPatientID" not in target


def test_long_patient_id_is_refused() -> None:
    with pytest.raises(NotStorable):
        copied(PatientID="1" * 70)


def test_values_of_another_form_are_left_out() -> None:
    target = copied(
        PatientAge="55", StudyDate="2022.01.01", PatientSex="W", PatientWeight=b"heavy "
    )

    assert target.StudyDate == target.PatientSex == ""
    assert "PatientAge" not in target
    assert "PatientWeight" not in target


def test_control_characters_are_left_out() -> None:
    target = copied(StudyDescription=b"two\r\nlines ", IssuerOfPatientID=b"H\x07")

    assert target.StudyDescription == "twolines"
    assert "IssuerOfPatientID" not in target


def test_first_of_several_values_is_taken() -> None:
    target = copied(ReferringPhysicianName=b"\\House^G\\Grey^M ", AccessionNumber=b"1\\2 ")

    assert target.ReferringPhysicianName == "House^G"
    assert target.AccessionNumber == ""


def test_trial_is_copied_whole_or_not_at_all() -> None:
    whole = {
        "ClinicalTrialSponsorName": "Sponsor",
        "ClinicalTrialProtocolID": "P1",
        "ClinicalTrialSubjectID": "S1",
    }
    trial = copied(**whole)
    part = copied(ClinicalTrialProtocolID="P1")

    assert (trial.ClinicalTrialSubjectID, trial.ClinicalTrialSiteID) == ("S1", "")
    assert not any("Trial" in element.keyword for element in part)


def test_headers_hold_what_is_copied() -> None:
    assert set(COPIED) <= set(OBJECT_KEYWORDS)


def test_codes_without_meaning_are_left_out() -> None:
    target = copied(ProcedureCodeSequence=[code(None), code("MG Breast Screening")])

    assert len(target.ProcedureCodeSequence) == 1
    assert "ProcedureCodeSequence" not in copied(ProcedureCodeSequence=[code(None)])


def test_unknown_character_set_is_left_out() -> None:
    assert "SpecificCharacterSet" not in copied(SpecificCharacterSet="KLINGON")


@pytest.mark.parametrize(
    "keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"]
)
@pytest.mark.parametrize("value", [None, "", "1.02.3", "1.2.a"])
def test_source_without_identity_is_refused(keyword: str, value: str | None) -> None:
    with pytest.raises(NotStorable):
        source_with(**{keyword: value})


def test_source_that_is_no_dicom_is_refused() -> None:
    image = replace(image_result(phantom_exam().files[0], 0), header=None)

    with pytest.raises(NotStorable):
        read_source(replace(RESULTS, images=(image,)), 0)
