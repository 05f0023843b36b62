"""Decide about breasts and exams by the thresholds that were measured for their views."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.model import LevelFacts, Manifest, combine
from service.pipeline.counted_images import BREAST_VIEWS, STANDARD_VIEWS
from service.records import (
    BreastResult,
    ExamDecision,
    Laterality,
    LevelDecision,
    QualityWarning,
)

NO_LEVELS = QualityWarning(
    "no-exam-threshold",
    "This model version has no thresholds for breasts and exams. Neither is decided.",
)
NO_THRESHOLD_FOR_VIEWS = QualityWarning(
    "no-exam-threshold",
    "This model version has no threshold for an exam or a breast with these views, which is "
    "therefore not decided.",
)
NO_COUNTED_IMAGE = QualityWarning(
    "no-counted-image",
    "No image counts for a breast, so that neither a breast nor the exam is decided.",
)


@dataclass(frozen=True, slots=True)
class CountedImage:
    """An image that counts: its position in the request, its breast and view, and its result."""

    position: int
    side: Laterality
    view: str
    probability: float


def decide_image(manifest: Manifest, probability: float, *, positive: bool) -> LevelDecision:
    """Return the decision on one image at the model's operating point."""
    levels = manifest.levels
    percentile = None if levels is None else levels.image.percentile(probability)
    return LevelDecision(
        probability, manifest.threshold, positive, percentile, manifest.threshold_rule
    )


def decide_breasts(
    manifest: Manifest, images: Sequence[CountedImage]
) -> Mapping[Laterality, BreastResult]:
    """Return the decision on each breast that has an image, the left one first."""
    facts = None if manifest.levels is None else manifest.levels.breast

    results = {}
    for side, probability in _combine(images):
        own = [image for image in images if image.side == side]
        views = len({image.view for image in own})
        decision = _decide(facts, "breasts", probability, views, len(BREAST_VIEWS))
        results[side] = BreastResult(decision, tuple(image.position for image in own))
    return results


def decide_exam(manifest: Manifest, images: Sequence[CountedImage]) -> ExamDecision | None:
    """Return the decision on the exam, None without an image. Of equal breasts, the left counts."""
    breasts = _combine(images)
    if not breasts:
        return None
    side, probability = max(breasts, key=lambda breast: breast[1])

    there = {(image.side, image.view) for image in images}
    facts = None if manifest.levels is None else manifest.levels.exam
    return ExamDecision(
        decision=_decide(facts, "exams", probability, len(there), len(STANDARD_VIEWS)),
        driven_by=side,
        views=tuple("-".join(view) for view in STANDARD_VIEWS if view in there),
        missing_views=tuple("-".join(view) for view in STANDARD_VIEWS if view not in there),
    )


def decision_warnings(
    manifest: Manifest, breasts: Mapping[Laterality, BreastResult], exam: ExamDecision | None
) -> tuple[QualityWarning, ...]:
    """Return the warnings about decisions that are missing."""
    if exam is None:
        return (NO_COUNTED_IMAGE,)
    if manifest.levels is None:
        return (NO_LEVELS,)
    decisions = [exam.decision, *(breast.decision for breast in breasts.values())]
    is_lacking = any(decision.threshold is None for decision in decisions)
    return (NO_THRESHOLD_FOR_VIEWS,) if is_lacking else ()


def _combine(images: Sequence[CountedImage]) -> list[tuple[Laterality, float]]:
    """Return the probability of each breast that has an image, as training combines them."""
    if not images:
        return []
    combined = combine((image.side, image.probability) for image in images)
    return list(combined.breasts.items())


def _decide(
    facts: LevelFacts | None, cases: str, probability: float, views: int, standard_views: int
) -> LevelDecision:
    """Decide about a case with so many different standard views.

    The threshold is that of cases with as many views. That of all cases holds for complete ones
    alone, and so does the percentile: both were measured on such cases. `cases`: in words.
    """
    if facts is None:
        return LevelDecision(probability, None, None, None, None)

    is_complete = views == standard_views
    threshold = facts.threshold if is_complete else None
    rule = facts.target if is_complete else None
    if own := facts.by_views.get(views):
        threshold = own.threshold
    if own and not is_complete:
        rule = f"{facts.target} Chosen for {cases} with {views} of the {standard_views} views."

    return LevelDecision(
        probability=probability,
        threshold=threshold,
        positive=None if threshold is None else probability >= threshold,
        percentile=facts.percentile(probability) if is_complete else None,
        threshold_rule=rule,
    )
