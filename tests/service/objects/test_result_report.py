"""The report: each statement of the results at its place in the content tree."""

from dataclasses import replace
from io import BytesIO
from typing import Any

import highdicom
import pytest
from pydicom.dataset import Dataset

from service.errors import NotStorable
from service.objects import BuildTask, instance_uid, series_uid
from service.records import (
    ExamResults,
    ImageResult,
    LevelDecision,
    MapState,
    NotCounted,
    ObjectName,
    ObjectPart,
    QualityWarning,
    RefusedImage,
)
from tests.support import report_trees as trees
from tests.support.archive_objects import (
    MODEL,
    change,
    decision,
    exam_results,
    header_of,
    image_result,
    object_request,
    opened,
    phantom_exam,
)

EXAM = phantom_exam()
RESULTS = exam_results(EXAM)
PART = ObjectPart(ObjectName.REPORT)
REFUSED = RefusedImage("for-processing", "For Processing image", "A detail.", "A remedy.")
UNDECIDED = LevelDecision(0.3, None, None, None, None)


def report(results: ExamResults) -> Dataset:
    return opened(BuildTask(object_request(results, PART))(b"", None))


def alone(**values: object) -> ExamResults:
    """Return the results of the first image alone. `values`: of it or of its facts."""
    image = RESULTS.images[0]
    assert isinstance(image, ImageResult)
    names = ImageResult.__dataclass_fields__
    own: Any = {name: value for name, value in values.items() if name in names}
    others: Any = {name: value for name, value in values.items() if name not in names}
    changed = replace(image, facts=replace(image.facts, **others), **own)
    return replace(RESULTS, images=(changed,), breasts={}, exam=None)


def of_exam(**values: Any) -> ExamResults:
    """Return the results of the exam as a whole and of one image. `values`: of the exam."""
    assert RESULTS.exam is not None
    exam = replace(RESULTS.exam, **values)
    return replace(RESULTS, images=RESULTS.images[:1], breasts={}, exam=exam)


DATA = BuildTask(object_request(RESULTS, PART))(b"", None)
DOCUMENT = opened(DATA)


def test_report_has_groups_of_every_level() -> None:
    labels = [trees.texts(one, "Tracking Identifier")[0] for one in trees.groups(DOCUMENT)]

    assert labels == [
        "exam",
        "breast L",
        "breast R",
        "image 1: L CC",
        "image 2: L MLO",
        "image 3: R CC",
        "image 4: R MLO",
    ]


def test_group_gives_probability_with_its_rank() -> None:
    group = trees.group(DOCUMENT, "exam")
    (probability,) = trees.children(group, "Probability of cancer")

    assert trees.number(group, "Probability of cancer") == (90.0, "%")
    assert trees.number(probability, "Percentile Ranking of measurement") == (97.5, "%")
    assert "exam" in trees.texts(probability, "Population Description")[0]


def test_probability_keeps_four_decimals_of_per_cent() -> None:
    document = report(alone(decision=LevelDecision(0.12345678, None, None, None, None)))

    group = trees.group(document, "image 1: L CC")

    assert trees.number(group, "Probability of cancer") == (12.3457, "%")


def test_group_identifies_its_algorithm() -> None:
    group = trees.group(DOCUMENT, "breast R")

    assert trees.texts(group, "Algorithm Name") == ["demo"]
    assert trees.texts(group, "Algorithm Version") == ["1"]
    assert trees.texts(group, "Algorithm Manufacturer") == ["mammolens"]
    assert trees.texts(group, "Algorithm Parameters") == [
        f"digest={MODEL.digest}",
        "method=grad-cam",
        "layer=conv",
        "level=0.5",
        "threshold=0.5",
        "threshold_rule=specificity 0.9",
    ]


@pytest.mark.parametrize(
    ("label", "sides", "positions"),
    [("exam", [], range(4)), ("breast R", ["Right"], (2, 3)), ("image 2: L MLO", ["Left"], (1,))],
)
def test_group_names_site_and_sources(label: str, sides: list[str], positions: Any) -> None:
    group = trees.group(DOCUMENT, label)
    (site,) = trees.children(group, "Finding Site")

    assert trees.coded(group, "Finding Site") == ["Breast"]
    assert trees.coded(site, "Laterality") == sides
    assert trees.images(group, "Source of Measurement") == [
        EXAM.files[position].SOPInstanceUID for position in positions
    ]


@pytest.mark.parametrize(
    ("positive", "summary", "word"), [(True, "with", "positive"), (False, "without", "negative")]
)
def test_decisions_are_coded_and_told(positive: bool, summary: str, word: str) -> None:
    level = decision(0.9 if positive else 0.1)
    document = report(replace(of_exam(decision=level), images=alone(decision=level).images))

    assert len(trees.groups(document)) == 2
    for group in trees.groups(document):
        code = trees.coded(group, "CAD Processing and Findings Summary")
        assert code == [f"All algorithms succeeded; {summary} findings"]
        assert f"Decided {word}" in trees.texts(group, "Comment")[0]


def test_missing_threshold_leaves_case_undecided() -> None:
    """As older bundles have none for breasts and exams."""
    group = trees.group(report(of_exam(decision=UNDECIDED)), "exam")

    assert trees.coded(group, "CAD Processing and Findings Summary") == []
    assert trees.texts(group, "Comment")[0].startswith("Not decided")
    assert not any("threshold" in text for text in trees.texts(group, "Algorithm Parameters"))
    assert trees.children(trees.children(group, "Probability of cancer")[0], "") == []


def test_refused_image_is_named_by_its_problem() -> None:
    results = of_exam()
    results = replace(results, images=(*results.images, REFUSED))
    document = report(results)
    (evaluations,) = trees.children(document, "Qualitative Evaluations")

    assert "Image 2 was refused (for-processing): For Processing image." in trees.texts(
        evaluations, "Comment"
    )
    assert trees.coded(evaluations, "Summary of Detections") == ["Partially Succeeded"]
    assert trees.coded(trees.group(document, "exam"), "CAD Processing and Findings Summary") == [
        "Not all algorithms succeeded; with findings"
    ]


def test_document_tells_use_class_and_warnings() -> None:
    warning = QualityWarning("no-scorecard", "A message that is not repeated.")
    document = report(replace(alone(), warnings=(warning,)))
    (evaluations,) = trees.children(document, "Qualitative Evaluations")

    assert trees.texts(evaluations, "Comment") == [
        "AI, research only. Not a medical device.",
        "Intended use: Research on phantoms",
        "Probabilities are those of the class malignant.",
        "Warnings: no-scorecard.",
    ]
    assert trees.coded(evaluations, "Summary of Detections") == ["Succeeded"]


def test_missing_views_are_told() -> None:
    results = of_exam(views=("L-CC", "L-MLO", "R-CC"), missing_views=("R-MLO",))

    group = trees.group(report(results), "exam")

    assert trees.texts(group, "Comment")[1:] == [
        "The right breast has the higher probability.",
        "Views: L-CC, L-MLO, R-CC.",
        "Missing views: R-MLO.",
    ]


def test_image_of_exam_says_that_it_counts() -> None:
    comments = trees.texts(trees.group(DOCUMENT, "image 3: R CC"), "Comment")

    assert comments[1:] == ["Counted for its breast."]


@pytest.mark.parametrize("reason", NotCounted)
def test_image_that_does_not_count_says_why(reason: NotCounted) -> None:
    document = report(alone(not_counted=reason))

    comments = trees.texts(trees.group(document, "image 1: L CC"), "Comment")

    assert comments[1].startswith(f"Not counted ({reason}): ")


def test_image_tells_note_state_and_warnings() -> None:
    warnings = (QualityWarning("out-of-domain", "m"), QualityWarning("implant", "m"))
    changed = alone(state=MapState.DEAD_LAYER, regions=(), note="A note.", warnings=warnings)

    comments = trees.texts(trees.group(report(changed), "image 1: L CC"), "Comment")

    assert comments[1:] == [
        "The heatmap is blank: dead_layer.",
        "A note.",
        "Warnings: out-of-domain, implant.",
    ]


def test_view_is_coded_with_its_modifiers() -> None:
    document = report(alone(view="ML", view_modifiers=("Magnification", "Spot Compression")))

    group = trees.group(document, "image 1: L ML")
    (view,) = trees.children(group, "Image View")

    assert trees.coded(group, "Image View") == ["medial-lateral"]
    assert trees.coded(view, "Image View Modifier") == ["Magnification", "Spot Compression"]


def test_view_without_code_is_text() -> None:
    document = report(alone(view="XCC"))

    assert trees.texts(trees.group(document, "image 1: L XCC"), "Image View") == ["XCC"]


def test_unknown_side_and_view_are_left_out() -> None:
    document = report(alone(view=None, laterality=None))

    group = trees.group(document, "image 1: view unknown")

    assert trees.children(group, "Image View") == []
    assert "ContentSequence" not in trees.children(group, "Finding Site")[0]


def test_report_refers_to_siblings_by_their_uids() -> None:
    request = object_request(RESULTS, PART)
    others = [part for part in request.parts if part != PART]
    expected = {instance_uid(request, part) for part in others}
    (references,) = trees.children(DOCUMENT, "Supporting Information")

    referenced = {
        str(item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)
        for item in references.ContentSequence
    }

    assert referenced == expected
    assert trees.evidence(DOCUMENT) == expected | {file.SOPInstanceUID for file in EXAM.files}


def test_report_alone_refers_to_nothing_else() -> None:
    request = replace(object_request(alone(), PART), parts=(PART,))

    document = opened(BuildTask(request)(b"", None))

    assert trees.children(document, "Supporting Information") == []


def test_report_is_complete_preliminary_and_unverified() -> None:
    assert DOCUMENT.CompletionFlag == "COMPLETE"
    assert DOCUMENT.PreliminaryFlag == "PRELIMINARY"
    assert DOCUMENT.VerificationFlag == "UNVERIFIED"
    assert "VerifyingObserverSequence" not in DOCUMENT
    assert "AuthorObserverSequence" not in DOCUMENT


def test_observer_follows_from_the_digest() -> None:
    """Another request gives the same observer, and another bundle another one."""
    again = opened(BuildTask(replace(object_request(alone(), PART), request_id="2"))(b"", None))
    other = report(replace(alone(), model=replace(MODEL, digest="cd" * 32)))

    uids = [
        trees.children(document, "Device Observer UID")[0].UID
        for document in (DOCUMENT, again, other)
    ]

    assert uids[0] == uids[1] != uids[2]
    assert trees.texts(DOCUMENT, "Device Observer Serial Number") == [MODEL.digest]


def test_report_carries_identity_equipment_and_time() -> None:
    assert DOCUMENT.PatientID == EXAM.files[0].PatientID
    assert DOCUMENT.StudyInstanceUID == EXAM.files[0].StudyInstanceUID
    assert DOCUMENT.SeriesInstanceUID == series_uid(object_request(RESULTS, PART), PART)
    assert DOCUMENT.SeriesDescription == "AI, research only: report"
    assert DOCUMENT.ManufacturerModelName == "demo/1"
    assert DOCUMENT.DeviceSerialNumber == MODEL.digest
    assert "TimezoneOffsetFromUTC" not in DOCUMENT


def test_texts_of_bundle_fit_every_character_set() -> None:
    """A manifest may hold letters that the character set of the patient's name lacks."""
    greek = phantom_exam(SpecificCharacterSet="ISO_IR 126", PatientName="Διονυσιος")
    model = replace(MODEL, intended_use="Für Versuche: 研究")
    image = image_result(greek.files[0], 0)

    document = report(replace(alone(), images=(image,), model=model))
    (evaluations,) = trees.children(document, "Qualitative Evaluations")

    assert str(document.PatientName) == "Διονυσιος"
    assert "Intended use: Fur Versuche: ??" in trees.texts(evaluations, "Comment")


def test_highdicom_reads_the_report_back() -> None:
    document = highdicom.sr.srread(BytesIO(DATA))

    groups = document.content.get_image_measurement_groups()  # type: ignore[attr-defined]

    assert len(groups) == len(trees.groups(DOCUMENT))
    assert groups[0].get_measurements()[0].value == pytest.approx(90)
    assert len(groups[0].source_images) == len(EXAM.files)
    assert document.content.get_planar_roi_measurement_groups() == []  # type: ignore[attr-defined]


def test_file_without_identity_has_no_report() -> None:
    file = phantom_exam().files[0]
    change(file, StudyInstanceUID=None)

    with pytest.raises(NotStorable):
        report(alone(header=header_of(file)))
