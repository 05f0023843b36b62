"""Objects of many kinds of sources against dciodvfy, dcentvfy and pydicom."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from service.records import ExamResults, ObjectName, ObjectPart, PixelSyntax
from tests.support.archive_objects import (
    PhantomExam,
    build,
    contradictions,
    every_part,
    exam_results,
    file_bytes,
    objections,
    opened,
    phantom_exam,
)
from training.phantoms import Acquisition

# PS3.5 H.3.1
JAPANESE = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B"
GREEK = "\u0394\u03b9\u03bf\u03bd^\u03a3\u03bf\u03c6\u03b9\u03b1 ".encode("iso8859-7")
KINDS: dict[str, dict[str, Any]] = {
    "monochrome1": {"acquisition": Acquisition(photometric="MONOCHROME1")},
    "jpeg2000": {"acquisition": Acquisition(transfer_syntax="jpeg2000-lossy")},
    "full-size": {"Rows": 3328, "Columns": 2560},  # objects need no pixels of the source
    "no-orientation": {"PatientOrientation": None},
    "greek": {"SpecificCharacterSet": "ISO_IR 126", "PatientName": GREEK},
    "japanese": {"SpecificCharacterSet": ["", "ISO 2022 IR 87"], "PatientName": JAPANESE},
}
# Of a study that has no valid date in its source either.
NO_DATE = {
    f"Warning - </{element}> - Missing attribute or value that would be needed to build DICOMDIR"
    for element in ("StudyDate(0008,0020)", "StudyTime(0008,0030)")
}
PICTURES = {ObjectName.SC, ObjectName.SEG, ObjectName.SUMMARY}


def picture_parts(results: ExamResults) -> list[ObjectPart]:
    return [part for part in every_part(results) if part.name in PICTURES]


def all_codes(dataset: Dataset) -> Iterator[tuple[str, str, str, str]]:
    """Yield the sequence, value, scheme and meaning of every code in the dataset."""
    for element in dataset.iterall():
        if element.keyword.endswith("CodeSequence") or element.keyword in {
            "AnatomicRegionSequence",
            "AnatomicRegionModifierSequence",
        }:
            for item in element.value:
                yield (
                    element.keyword,
                    item.CodeValue,
                    item.CodingSchemeDesignator,
                    item.CodeMeaning,
                )


def matrix() -> Iterator[Any]:
    """Yield every kind of source in every layout.

    `make test` takes each kind as most machines write it and one kind in every layout,
    `make interop` the others.
    """
    for kind in KINDS:
        for own_series in (True, False):
            for frame in (False, True):
                series = "own-series" if own_series else "one-series"
                name = f"{kind}-{series}-{'frame' if frame else 'no-frame'}"
                is_usual = own_series and not frame
                marks = () if is_usual or kind == "monochrome1" else pytest.mark.interop
                yield pytest.param(kind, own_series, frame, id=name, marks=marks)


@pytest.mark.parametrize(("kind", "own_series", "frame_of_reference"), list(matrix()))
def test_judges_accept_objects_of_every_source(
    kind: str, *, own_series: bool, frame_of_reference: bool, tmp_path: Path
) -> None:
    exam = phantom_exam(own_series=own_series, frame_of_reference=frame_of_reference, **KINDS[kind])
    results = exam_results(exam)
    syntax = PixelSyntax.JPEG_LS if kind == "full-size" else PixelSyntax.RAW

    files = [build(results, part, syntax) for part in picture_parts(results)]

    assert set().union(*(objections(data, tmp_path) for data in files)) == set()
    assert contradictions([*map(file_bytes, exam.files), *files], tmp_path) == set()


@pytest.mark.parametrize("syntax", PixelSyntax)
def test_judges_accept_overlays_in_every_syntax(syntax: PixelSyntax, tmp_path: Path) -> None:
    results = exam_results(phantom_exam())

    for position in range(4):
        data = build(results, ObjectPart(ObjectName.SC, position), syntax)
        assert objections(data, tmp_path) == set()
        assert opened(data).pixel_array.shape == (160, 120, 3)


@cache
def odd_sources() -> dict[str, PhantomExam]:
    """Return exams with values that files in archives have, though DICOM does not allow them."""
    changes: dict[str, dict[str, Any]] = {
        "empty-name": {"PatientName": b""},
        "no-date": {"StudyDate": None, "StudyTime": None},
        "two-physicians": {"ReferringPhysicianName": b"Grey^M\\House^G "},
        "one-physician-in-list": {"ReferringPhysicianName": b"Grey^M\\"},
        "long-values": {
            "StudyDescription": b"d" * 100,
            "AccessionNumber": b"7" * 30,
            "PatientName": b"n" * 60 + b"^" + b"m" * 60,
            "PatientAge": b"55",
            "StudyDate": b"2022.01.01",
        },
        "bad-spacing": {"ImagerPixelSpacing": b"0\\0 "},
        "no-spacing": {"ImagerPixelSpacing": None},
        "bad-orientation": {"PatientOrientation": b"LEFT\\FOOT "},
        "no-laterality": {"ImageLaterality": None},
        "deidentified": {"PatientIdentityRemoved": "YES"},
        "trial": {
            "ClinicalTrialSponsorName": "Sponsor",
            "ClinicalTrialProtocolID": "P1",
            "ClinicalTrialSubjectID": "S1",
            "ClinicalTrialTimePointDescription": "first",
        },
        "zone": {"TimezoneOffsetFromUTC": "-0330"},
    }
    exams = {name: phantom_exam(**change) for name, change in changes.items()}
    for file in exams["empty-name"].files:
        block = file.private_block(0x0029, "A MAKER", create=True)
        block.add_new(0x01, "LO", "private")
    return exams


@pytest.mark.filterwarnings("ignore")  # pydicom's, while the odd sources are written
@pytest.mark.parametrize("name", odd_sources())
def test_odd_sources_give_valid_objects(name: str, tmp_path: Path) -> None:
    results = exam_results(odd_sources()[name])

    for part in picture_parts(results)[::4]:
        assert objections(build(results, part), tmp_path) - NO_DATE == set()


def test_codes_are_those_of_the_standard() -> None:
    """Every code is in a context group of its kind, with its meaning."""
    groups = {
        "AlgorithmFamilyCodeSequence": [codes.cid7162],
        "AnatomicRegionModifierSequence": [codes.cid244],
        "AnatomicRegionSequence": [codes.cid4031],
        "DerivationCodeSequence": [codes.cid7203],
        "PurposeOfReferenceCodeSequence": [codes.cid7202, codes.cid7005],
        "SegmentedPropertyCategoryCodeSequence": [codes.cid7150],
        "SegmentedPropertyTypeCodeSequence": [codes.cid6014],
    }
    results = exam_results(phantom_exam())

    for part in picture_parts(results):
        for keyword, value, scheme, meaning in all_codes(opened(build(results, part))):
            allowed = {
                (code.value, code.scheme_designator, code.meaning.lower())
                for group in groups[keyword]
                for code in (getattr(group, name) for name in group.dir())
            }
            assert (value, scheme, meaning.lower()) in allowed
