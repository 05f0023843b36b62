"""Words of the summary page: decisions, percentiles and reasons, as sentences."""

from collections.abc import Mapping, Sequence

from service.records import (
    ExamDecision,
    ExamResults,
    ImageResult,
    Laterality,
    LevelDecision,
    NotCounted,
    QualityWarning,
)

RESEARCH_ONLY = "AI, research only. Not a medical device."
SIDES: Mapping[Laterality, str] = {"R": "Right breast", "L": "Left breast"}
_WHOLE = 100

_REASONS = {
    NotCounted.VIEW: "only CC and MLO count",
    NotCounted.MODIFIER: "a modified view",
    NotCounted.DERIVATION: "not a plain exposure",
    NotCounted.NO_LATERALITY: "its side is unknown",
    NotCounted.DUPLICATE: "the same image is there twice",
}


def percent(share: float) -> str:
    """Return a probability in per cent. One that is not 0 or 1 is not shown as 0 or 100."""
    rounded = f"{share:.1%}"
    if share > 0 and rounded == "0.0%":
        return "below 0.1 %"
    if share < 1 and rounded == "100.0%":
        return "above 99.9 %"
    return rounded.replace("%", " %")


def verdict(decision: LevelDecision) -> str:
    """Return the decision in a word or two."""
    if decision.positive is None:
        return "not judged"
    return "positive" if decision.positive else "negative"


def threshold(decision: LevelDecision, views: int) -> str:
    """Return the threshold, or why there is none."""
    if decision.threshold is None:
        return f"not judged: no threshold was measured for {count(views, 'view')}"
    return f"threshold {percent(decision.threshold)}"


def percentile(decision: LevelDecision, cases: str) -> str | None:
    """Return the percentile in words, None if it is unknown. `cases`: such as exams."""
    if decision.percentile is None:
        return None
    if decision.percentile >= _WHOLE:
        return f"higher than all cancer-free {cases}"
    if decision.percentile < 1:
        return f"among the lowest 1 % of cancer-free {cases}"
    return f"higher than {int(decision.percentile)} % of cancer-free {cases}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def label(result: ImageResult) -> str:
    """Return side and view of an image, such as R CC."""
    facts = result.facts
    return f"{facts.laterality or 'side unknown,'} {facts.view or 'view unknown'}"


def not_counted(reason: NotCounted) -> str:
    """Return why an image does not count."""
    return f"not counted: {_REASONS[reason]}"


def completeness(exam: ExamDecision) -> str:
    """Return which of the standard views are missing, as a sentence."""
    missing = [view.replace("-", " ") for view in exam.missing_views]
    if not missing:
        return "All four views are there."

    verb = "is" if len(missing) == 1 else "are"
    return f"{len(exam.views)} of 4 views: {', '.join(missing)} {verb} missing."


def is_single(results: ExamResults) -> bool:
    """Return whether the results are about one image that was not sent as an exam."""
    if results.exam is not None or len(results.images) != 1:
        return False
    image = results.images[0]
    return isinstance(image, ImageResult) and image.not_counted is None


def all_warnings(results: ExamResults) -> list[str]:
    """Return each warning once, as a sentence that begins with the images it is about.

    Warnings about the exam come first, then those about the most images.
    """
    images: dict[QualityWarning, list[str]] = {}
    for image in results.images:
        if isinstance(image, ImageResult):
            for warning in image.warnings:
                images.setdefault(warning, []).append(label(image))

    for warning in results.warnings:
        images.pop(warning, None)
    widest = sorted(images.items(), key=lambda pair: -len(pair[1]))

    of_exam = [warning.message for warning in dict.fromkeys(results.warnings)]
    return of_exam + [f"{_joined(labels)}: {warning.message}" for warning, labels in widest]


def _joined(labels: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(labels))
