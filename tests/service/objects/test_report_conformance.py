"""Report and marks of many kinds of sources against judges, templates and context groups."""

import shutil
import subprocess
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import generate_uid

from service.objects import BuildTask
from service.records import (
    BreastResult,
    ExamResults,
    ImageFacts,
    ImageResult,
    Laterality,
    LevelDecision,
    NotCounted,
    ObjectName,
    ObjectPart,
    QualityWarning,
    RefusedImage,
)
from tests.support import report_trees as trees
from tests.support.archive_objects import (
    PhantomExam,
    build,
    contradictions,
    decision,
    every_part,
    exam_results,
    file_bytes,
    image_result,
    object_request,
    objections,
    opened,
    phantom_exam,
    square_region,
)

DSRDUMP = shutil.which("dsrdump") or "dsrdump"
# PS3.5 H.3.1
JAPANESE = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B"
GREEK = "Διον^Σοφια ".encode("iso8859-7")
SOURCES: dict[str, dict[str, Any]] = {
    "own-series": {"own_series": True},
    "own-series-frame": {"own_series": True, "frame_of_reference": True},
    "one-series": {"own_series": False},
    "one-series-frame": {"own_series": False, "frame_of_reference": True},
    "greek-without-orientation": {
        "SpecificCharacterSet": "ISO_IR 126",
        "PatientName": GREEK,
        "PatientOrientation": None,
        "ImagerPixelSpacing": None,
    },
    "japanese-full-size": {
        "SpecificCharacterSet": ["", "ISO 2022 IR 87"],
        "PatientName": JAPANESE,
        "Rows": 3328,
        "Columns": 2560,
    },
}

Change = Callable[[ExamResults], ExamResults]


def answered(results: ExamResults, **values: object) -> ExamResults:
    """Return the results with these values in every image."""
    images: Any = [replace(image, **values) for image in results.images]  # type: ignore[arg-type]
    return replace(results, images=tuple(images))


def results_of(exam: PhantomExam) -> ExamResults:
    """Return results with one region in each image."""
    return answered(exam_results(exam), regions=(square_region(40, 50, 10),))


def with_refused(results: ExamResults) -> ExamResults:
    refused = RefusedImage("for-processing", "For Processing image", "Detail.", "Remedy.")
    return replace(results, images=(refused, *results.images[1:]), breasts={})


def without_laterality(results: ExamResults) -> ExamResults:
    facts = ImageFacts(format="dicom", rows=160, columns=120, bits=12)
    unknown = answered(results, facts=facts, not_counted=NotCounted.NO_LATERALITY)
    return replace(unknown, breasts={}, exam=None)


def incomplete(results: ExamResults) -> ExamResults:
    assert results.exam is not None
    exam = replace(results.exam, views=("R-MLO",), missing_views=("L-CC", "L-MLO", "R-CC"))
    breasts: dict[Laterality, BreastResult] = {"R": BreastResult(exam.decision, (0,))}
    return replace(results, images=results.images[3:], breasts=breasts, exam=exam)


def without_thresholds(results: ExamResults) -> ExamResults:
    """As from an older bundle, which has a threshold for images alone."""
    assert results.exam is not None
    nothing = LevelDecision(0.4, None, None, None, None)
    breasts = {side: replace(one, decision=nothing) for side, one in results.breasts.items()}
    exam = replace(results.exam, decision=nothing)
    warnings = (QualityWarning("no-exam-threshold", "A message."),)
    return replace(results, breasts=breasts, exam=exam, warnings=warnings)


def single(results: ExamResults) -> ExamResults:
    return replace(results, images=results.images[:1], breasts={}, exam=None)


def negative(results: ExamResults) -> ExamResults:
    return answered(results, decision=decision(0.1), note="Decided negative.")


CHANGES: dict[str, Change] = {
    change.__name__: change
    for change in (
        with_refused, without_laterality, incomplete, without_thresholds, single, negative,
    )
}  # fmt: skip


def documents(results: ExamResults) -> list[bytes]:
    """Return the report and the marks of each image with regions as the objects of one answer."""
    marked = [
        ObjectPart(ObjectName.MARKS, position)
        for position, image in enumerate(results.images)
        if isinstance(image, ImageResult) and image.regions
    ]
    parts = (ObjectPart(ObjectName.REPORT), *marked)
    request = replace(object_request(results, parts[0]), parts=parts)
    return [BuildTask(replace(request, part=part))(b"", None) for part in parts]


def assert_conformant(exam: PhantomExam, files: list[bytes], folder: Path) -> None:
    """Assert that no judge objects to documents, alone and beside their sources.

    dcentvfy counts the Accession Number to another entity in documents than in images.
    """
    assert set().union(*(objections(data, folder) for data in files)) == set()
    lines = contradictions([*map(file_bytes, exam.files), *files], folder)
    assert {line for line in lines if "Element=<AccessionNumber> IE" not in line} == set()

    for data in files:
        document = opened(data)
        assert trees.template_faults(document) == set()
        assert trees.unknown_codes(document) == set()
        assert trees.misplaced_codes(document) == set()
        assert trees.referenced(document) <= trees.evidence(document)


@pytest.mark.parametrize("name", SOURCES)
def test_judges_accept_documents_of_every_source(name: str, tmp_path: Path) -> None:
    exam = phantom_exam(**SOURCES[name])

    assert_conformant(exam, documents(results_of(exam)), tmp_path)


@pytest.mark.parametrize("name", CHANGES)
def test_judges_accept_documents_of_all_results(name: str, tmp_path: Path) -> None:
    exam = phantom_exam()
    results = CHANGES[name](results_of(exam))

    assert_conformant(exam, documents(results), tmp_path)


def test_judges_accept_documents_of_eight_images(tmp_path: Path) -> None:
    exam = phantom_exam()
    again = [deepcopy(file) for file in exam.files]
    for file in again:
        file.SOPInstanceUID = file.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        file.InstanceNumber = 2
    results = results_of(exam)
    more = [
        replace(image_result(file, number), not_counted=NotCounted.MODIFIER, regions=())
        for number, file in enumerate(again)
    ]

    files = documents(replace(results, images=(*results.images, *more)))

    assert_conformant(PhantomExam((*exam.files, *again)), files, tmp_path)


def test_report_refers_to_objects_that_exist(tmp_path: Path) -> None:
    """dcentvfy misses no object among all those of an answer."""
    exam = phantom_exam()
    results = results_of(exam)
    files = [build(results, part) for part in every_part(results)]

    lines = contradictions([*map(file_bytes, exam.files), *files], tmp_path)

    assert {line for line in lines if "Element=<AccessionNumber> IE" not in line} == set()


@pytest.mark.interop
def test_dcmtk_parses_the_documents(tmp_path: Path) -> None:
    """It checks relationships and value types of a Comprehensive SR as it reads."""
    for number, data in enumerate(documents(results_of(phantom_exam()))):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(data)

        result = subprocess.run(
            [DSRDUMP, path], capture_output=True, text=True, check=True, timeout=60
        )

        assert "Probability of cancer" in result.stdout
        assert not [line for line in result.stderr.splitlines() if line[:2] in {"W:", "E:"}]
