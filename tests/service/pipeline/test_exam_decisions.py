"""Decisions about breasts and exams: hand-worked cases at thresholds by number of views."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from service.model import FakeModel, Levels, Manifest
from service.pipeline.exam_decisions import (
    NO_COUNTED_IMAGE,
    NO_LEVELS,
    NO_THRESHOLD_FOR_VIEWS,
    CountedImage,
    decide_breasts,
    decide_exam,
    decision_warnings,
)
from service.records import BreastResult, ExamDecision, LevelDecision
from tests.support.level_facts import level_facts

FULL = {"L-CC": 0.125, "L-MLO": 0.375, "R-CC": 0.75, "R-MLO": 0.25}
TARGET = "Highest sensitivity at a recall of at most 10 %."


def by_views(**thresholds: float) -> dict[int, dict[str, Any]]:
    """Return facts by number of views, from arguments such as v2=0.3."""
    unknown = {"sensitivity": None, "specificity": None, "cases": 0}
    return {int(name[1:]): {"threshold": value, **unknown} for name, value in thresholds.items()}


def manifest(
    *, breast: dict[str, Any] | None = None, exam: dict[str, Any] | None = None
) -> Manifest:
    levels = Levels(
        image=level_facts(threshold=0.5),
        breast=level_facts(threshold=0.3, **(breast or {})),
        exam=level_facts(threshold=0.45, **(exam or {})),
    )
    return FakeModel.manifest.model_copy(update={"levels": levels})


def images(probabilities: dict[str, float]) -> list[CountedImage]:
    """Return counted images by view. A view may end in a star, to be there again."""
    made = []
    for position, (name, probability) in enumerate(probabilities.items()):
        side, _, view = name.rstrip("*").partition("-")
        made.append(CountedImage(position, side, view, probability))  # type: ignore[arg-type]
    return made


def decided(
    probability: float, threshold: float, percentile: float | None, rule: str, *, positive: bool
) -> LevelDecision:
    return LevelDecision(probability, threshold, positive, percentile, rule)


def exam_of(facts: Manifest, probabilities: dict[str, float]) -> ExamDecision:
    decision = decide_exam(facts, images(probabilities))
    assert decision is not None
    return decision


def test_complete_exam_takes_thresholds_of_its_levels() -> None:
    facts = manifest()

    breasts = decide_breasts(facts, images(FULL))
    exam = exam_of(facts, FULL)

    assert breasts == {
        "L": BreastResult(decided(0.25, 0.3, 25.0, TARGET, positive=False), (0, 1)),
        "R": BreastResult(decided(0.5, 0.3, 50.0, TARGET, positive=True), (2, 3)),
    }
    assert exam == ExamDecision(
        decided(0.5, 0.45, 50.0, TARGET, positive=True),
        "R",
        ("L-CC", "L-MLO", "R-CC", "R-MLO"),
        (),
    )
    assert exam.is_complete
    assert decision_warnings(facts, breasts, exam) == ()


def test_probability_at_threshold_is_positive() -> None:
    exam = exam_of(manifest(), dict.fromkeys(FULL, 0.45))

    assert exam.decision.positive is True


def test_incomplete_exam_takes_threshold_of_its_views() -> None:
    facts = manifest(
        exam={"by_views": by_views(v2=0.7, v4=0.8)}, breast={"by_views": by_views(v2=0.9)}
    )
    half = {"R-CC": 0.75, "R-MLO": 0.25}

    exam = exam_of(facts, half)
    (breast,) = decide_breasts(facts, images(half)).values()

    rule = f"{TARGET} Chosen for exams with 2 of the 4 views."
    assert exam.decision == decided(0.5, 0.7, None, rule, positive=False)
    assert (exam.views, exam.missing_views) == (("R-CC", "R-MLO"), ("L-CC", "L-MLO"))
    assert not exam.is_complete
    assert breast.decision == decided(0.5, 0.9, 50.0, TARGET, positive=False)
    assert exam_of(facts, FULL).decision.threshold == 0.8


def test_views_without_measured_threshold_are_not_decided() -> None:
    facts = manifest(exam={"by_views": by_views(v2=0.7)}, breast={"by_views": by_views(v1=0.2)})
    three = {"L-CC": 0.1, "R-CC": 0.75, "R-MLO": 0.25}

    exam = exam_of(facts, three)
    breasts = decide_breasts(facts, images(three))

    assert exam.decision == LevelDecision(0.5, None, None, None, None)
    assert [breast.decision.threshold for breast in breasts.values()] == [0.2, 0.3]
    assert breasts["L"].decision.percentile is None
    assert decision_warnings(facts, breasts, exam) == (NO_THRESHOLD_FOR_VIEWS,)


def test_repeated_view_counts_as_one_view() -> None:
    facts = manifest(breast={"by_views": by_views(v1=0.2, v2=0.4)})
    repeated = {"L-CC": 0.1, "L-CC*": 0.6}

    (breast,) = decide_breasts(facts, images(repeated)).values()

    assert breast.decision.probability == 0.35
    assert breast.decision.threshold == 0.2
    assert breast.images == (0, 1)
    assert exam_of(facts, repeated).missing_views == ("L-MLO", "R-CC", "R-MLO")


def test_older_bundle_decides_nothing_and_says_so() -> None:
    facts = FakeModel.manifest.model_copy(update={"levels": None})

    breasts = decide_breasts(facts, images(FULL))
    exam = exam_of(facts, FULL)

    undecided = (None, None, None, None)
    for decision in (exam.decision, *(breast.decision for breast in breasts.values())):
        shown = (
            decision.threshold,
            decision.positive,
            decision.percentile,
            decision.threshold_rule,
        )
        assert shown == undecided
    assert decision_warnings(facts, breasts, exam) == (NO_LEVELS,)
    assert NO_LEVELS.code == NO_THRESHOLD_FOR_VIEWS.code == "no-exam-threshold"


def test_exam_without_counted_image_is_not_decided() -> None:
    facts = manifest()

    assert decide_exam(facts, []) is None
    assert decide_breasts(facts, []) == {}
    assert decision_warnings(facts, {}, None) == (NO_COUNTED_IMAGE,)


def test_left_breast_drives_exam_of_equal_breasts() -> None:
    assert exam_of(manifest(), {"R-CC": 0.4, "L-CC": 0.4}).driven_by == "L"


@settings(max_examples=60, deadline=None)
@given(
    st.permutations([*FULL, "L-CC*", "R-CC*"]),
    st.lists(st.floats(0, 1), min_size=6, max_size=6),
)
def test_order_of_images_changes_no_bit(order: list[str], numbers: list[float]) -> None:
    facts = manifest()
    ordered = dict(zip(sorted(order), numbers, strict=True))
    shuffled = {name: ordered[name] for name in order}

    assert exam_of(facts, shuffled) == exam_of(facts, ordered)
    for side, breast in decide_breasts(facts, images(shuffled)).items():
        assert breast.decision == decide_breasts(facts, images(ordered))[side].decision
