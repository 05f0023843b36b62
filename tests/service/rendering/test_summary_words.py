from dataclasses import replace

import pytest

from service.records import LevelDecision, QualityWarning
from service.rendering import summary_words as words
from service.rendering.summary_sheet import text_width, wrap
from tests.support.exam_results import decide, exam_results, image_result


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0.0 %"),
        (0.0001, "below 0.1 %"),
        (0.00123, "0.1 %"),
        (0.9621, "96.2 %"),
        (0.99996, "above 99.9 %"),
        (1.0, "100.0 %"),
    ],
)
def test_percent_is_never_falsely_certain(share: float, text: str) -> None:
    assert words.percent(share) == text


@pytest.mark.parametrize(
    ("percentile", "text"),
    [
        (None, None),
        (0.0, "among the lowest 1 % of cancer-free exams"),
        (12.9, "higher than 12 % of cancer-free exams"),
        (99.96, "higher than 99 % of cancer-free exams"),
        (100.0, "higher than all cancer-free exams"),
    ],
)
def test_percentile_is_rounded_down(percentile: float | None, text: str | None) -> None:
    decision = LevelDecision(0.5, None, None, percentile, None)

    assert words.percentile(decision, "exams") == text


def test_missing_threshold_is_told_with_number_of_views() -> None:
    unjudged = decide(0.4, None)

    assert words.verdict(unjudged) == "not judged"
    assert words.threshold(unjudged, 1).endswith("no threshold was measured for 1 view")
    assert words.threshold(unjudged, 3).endswith("no threshold was measured for 3 views")
    assert words.threshold(decide(0.4, 0.25), 3) == "threshold 25.0 %"


def test_missing_views_are_named() -> None:
    exam = exam_results([image_result("L-CC"), image_result("R-MLO")]).exam

    assert exam is not None
    assert words.completeness(exam) == "2 of 4 views: L MLO, R CC are missing."


def test_repeated_warnings_are_told_once() -> None:
    common = QualityWarning("common", "Saved with loss.")
    rare = QualityWarning("rare", "Blurred.")
    of_exam = QualityWarning("of-exam", "No thresholds.")
    images = [
        image_result("L-CC", warnings=[rare, of_exam]),
        image_result("L-MLO", warnings=[common, of_exam]),
        image_result("R-CC", warnings=[common]),
    ]

    told = words.all_warnings(exam_results(images, warnings=[of_exam, of_exam]))

    assert told == ["No thresholds.", "L MLO, R CC: Saved with loss.", "L CC: Blurred."]


def test_one_image_sent_alone_is_no_exam() -> None:
    exam = exam_results([image_result("L-CC")])

    assert not words.is_single(exam)
    assert words.is_single(replace(exam, exam=None, breasts={}))


def test_lines_fit_and_cut_text_has_ellipsis() -> None:
    text = "one two three four five six seven " + "w" * 300

    whole = wrap("one two three", 22, 90, 9)
    cut = wrap(text, 22, 90, 3)
    long_word = wrap(text, 22, 200, 9)

    assert " ".join(whole) == "one two three"
    assert len(cut) == 3
    assert cut[-1].endswith("…")
    assert long_word[-1].endswith("…")
    assert all(text_width(line, 22) <= 200 for line in long_word)
    assert all(text_width(line, 22) <= 90 for line in whole + cut)
