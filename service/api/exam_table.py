"""The results of an exam as lines for a terminal."""

from collections.abc import Iterator, Sequence

from service.records import ExamResults, ImageResult, LevelDecision, RefusedImage

_DECISIONS = {True: "positive", False: "negative", None: "undecided"}


def exam_lines(results: ExamResults, files: Sequence[str]) -> Iterator[str]:
    """Yield the images with their files, the breasts and the exam, and the warnings about it."""
    width = max(map(len, files))
    yield f"{'image':8} {'file':{width}} probability decision"
    for image, file in zip(results.images, files, strict=True):
        yield _image_line(image, f"{file:{width}}")

    for side, breast in sorted(results.breasts.items()):
        yield f"breast {side}: {_level(breast.decision)}"
    if results.exam is None:
        yield "exam: no image counts"
    else:
        yield f"exam: {_level(results.exam.decision)}, by breast {results.exam.driven_by}"
        if results.exam.missing_views:
            yield f"missing views: {', '.join(results.exam.missing_views)}"
    for warning in results.warnings:
        yield f"{warning.code}: {warning.message}"


def view_of(image: ImageResult | RefusedImage) -> str | None:
    """Return side and view of an image, such as L-CC, None if one is unknown."""
    if isinstance(image, RefusedImage) or None in {image.facts.laterality, image.facts.view}:
        return None
    return f"{image.facts.laterality}-{image.facts.view}"


def _image_line(image: ImageResult | RefusedImage, file: str) -> str:
    """Return the line of one image."""
    if isinstance(image, RefusedImage):
        return f"{'-':8} {file} refused     {image.title}. {image.detail} {image.remedy}"
    decision = image.decision
    counted = "" if image.not_counted is None else f", not counted: {image.not_counted}"
    told = f"{decision.probability:<11.3f} {_DECISIONS[decision.positive]}{counted}"
    return f"{view_of(image) or 'unknown':8} {file} {told}"


def _level(decision: LevelDecision) -> str:
    """Return a decision and the threshold that it was made at."""
    if decision.threshold is None:
        return f"probability {decision.probability:.3f}, undecided: no threshold for such a case"
    told = _DECISIONS[decision.positive]
    return f"probability {decision.probability:.3f}, {told} (threshold {decision.threshold:.3f})"
