"""Sentences of structured reports. They hold no value of a header and no name of a file."""

import unicodedata
from collections.abc import Iterator

from service.records import (
    ExamDecision,
    ExamResults,
    ImageResult,
    LevelDecision,
    MapState,
    NotCounted,
    QualityWarning,
    RefusedImage,
)

RESEARCH_ONLY = "AI, research only. Not a medical device."
_BREASTS = {"L": "left", "R": "right"}
_REASONS = {
    NotCounted.VIEW: "its view is neither CC nor MLO",
    NotCounted.MODIFIER: "its view is modified",
    NotCounted.DERIVATION: "it was not made by one plain exposure",
    NotCounted.NO_LATERALITY: "nothing tells its side",
    NotCounted.DUPLICATE: "the same image is there twice",
}


def plain(text: str) -> str:
    """Return the text in ASCII, which every character set of a header has."""
    parts = unicodedata.normalize("NFKD", text)
    letters = "".join(letter for letter in parts if not unicodedata.combining(letter))
    return letters.encode("ascii", "replace").decode("ascii")


def is_exam(results: ExamResults) -> bool:
    """Return whether the results are about an exam, and not about one image alone."""
    return results.exam is not None or len(results.images) > 1


def decided(decision: LevelDecision) -> str:
    """Return the decision and its threshold."""
    if decision.positive is None or decision.threshold is None:
        return "Not decided: the model version has no threshold for such a case."

    side = "at or above" if decision.positive else "below"
    word = "positive" if decision.positive else "negative"
    return f"Decided {word}: {side} the threshold of {100 * decision.threshold:.2f} %."


def exam_texts(exam: ExamDecision) -> Iterator[str]:
    """Yield the decision on the exam and the views that it rests on."""
    yield decided(exam.decision)
    yield f"The {_BREASTS[exam.driven_by]} breast has the higher probability."
    yield f"Views: {', '.join(exam.views)}."
    yield f"Missing views: {', '.join(exam.missing_views) or 'none'}."


def image_texts(results: ExamResults, image: ImageResult) -> Iterator[str]:
    """Yield the decision on an image, whether it counts, and how to read its heat."""
    yield decided(image.decision)
    if image.not_counted is not None:
        yield f"Not counted ({image.not_counted}): {_REASONS[image.not_counted]}."
    elif is_exam(results):
        yield "Counted for its breast."

    if image.state is not MapState.OK:
        yield f"The heatmap is blank: {image.state}."
    if image.note is not None:
        yield image.note
    yield from _warning_texts(image.warnings)


def document_texts(results: ExamResults) -> Iterator[str]:
    """Yield the texts about all results: their use, images that were refused, and warnings."""
    model = results.model
    yield RESEARCH_ONLY
    yield f"Intended use: {model.intended_use}"
    yield f"Probabilities are those of the class {model.positive_class}."

    if is_exam(results) and results.exam is None:
        yield "No decision on the exam: no image counts."
    for number, image in enumerate(results.images, 1):
        if isinstance(image, RefusedImage):
            yield f"Image {number} was refused ({image.slug}): {image.title}."
    yield from _warning_texts(results.warnings)


def _warning_texts(warnings: tuple[QualityWarning, ...]) -> Iterator[str]:
    if warnings:
        yield f"Warnings: {', '.join(warning.code for warning in warnings)}."
