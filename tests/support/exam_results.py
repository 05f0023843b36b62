"""Results of exams, made by hand."""

from collections.abc import Sequence
from typing import get_args

import numpy as np

from service.records import (
    BreastResult,
    ExamDecision,
    ExamResults,
    ImageFacts,
    ImageResult,
    Laterality,
    LevelDecision,
    MapState,
    Method,
    ModelIdentity,
    NotCounted,
    QualityWarning,
    RefusedImage,
)

VIEWS = ("L-CC", "L-MLO", "R-CC", "R-MLO")
MODEL = ModelIdentity("demo", 1, "0123456789abcdef" * 4, "cancer", "Tests of the service.")
REFUSED = RefusedImage(
    "for-processing", "Raw detector values", "The image is FOR PROCESSING.", "Send another one."
)


def decide(probability: float, threshold: float | None = 0.5) -> LevelDecision:
    """Return the decision at a threshold."""
    if threshold is None:
        return LevelDecision(probability, None, None, None, None)
    return LevelDecision(probability, threshold, probability >= threshold, 42.5, "A rule.")


def image_result(
    view: str,
    probability: float = 0.9,
    not_counted: NotCounted | None = None,
    warnings: Sequence[QualityWarning] = (),
) -> ImageResult:
    """Return the result of an image of a view such as L-CC."""
    side: Laterality = "L" if view.startswith("L") else "R"
    facts = ImageFacts("dicom", 400, 300, 12, laterality=side, view=view.partition("-")[2])
    return ImageResult(
        facts,
        decide(probability),
        not_counted,
        MapState.OK,
        peak=None,
        regions=(),
        note=None,
        warnings=tuple(warnings),
    )


def exam_results(
    images: Sequence[ImageResult | RefusedImage],
    threshold: float | None = 0.5,
    warnings: Sequence[QualityWarning] = (),
) -> ExamResults:
    """Return the results of an exam, with one threshold for breasts and exam."""
    breasts: dict[Laterality, BreastResult] = {}
    for side in get_args(Laterality):
        counted = {
            position: image.decision.probability
            for position, image in enumerate(images)
            if isinstance(image, ImageResult)
            and image.not_counted is None
            and image.facts.laterality == side
        }
        if counted:
            mean = float(np.mean(list(counted.values())))
            breasts[side] = BreastResult(decide(mean, threshold), tuple(counted))

    exam = _exam(images, breasts, threshold) if breasts else None
    return ExamResults(
        MODEL, Method.GRAD_CAM, "conv2d", 0.5, tuple(images), breasts, exam, tuple(warnings)
    )


def _exam(
    images: Sequence[ImageResult | RefusedImage],
    breasts: dict[Laterality, BreastResult],
    threshold: float | None,
) -> ExamDecision:
    counted = [images[position] for breast in breasts.values() for position in breast.images]
    present = {
        f"{image.facts.laterality}-{image.facts.view}"
        for image in counted
        if isinstance(image, ImageResult)
    }
    side = max(breasts, key=lambda key: breasts[key].decision.probability)
    return ExamDecision(
        decide(breasts[side].decision.probability, threshold),
        side,
        tuple(view for view in VIEWS if view in present),
        tuple(view for view in VIEWS if view not in present),
    )
