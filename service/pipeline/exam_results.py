"""Results of an exam, or of one image alone, as answers, pages and objects state them."""

from collections.abc import Sequence
from typing import assert_never

from service.explanation import METHODS
from service.model import Model
from service.pipeline import exam_decisions
from service.pipeline.assessment import is_positive
from service.pipeline.exam import Exam, ExamQuestion, ExplainedImage
from service.pipeline.exam_decisions import CountedImage
from service.pipeline.steps import Explanation, Question
from service.records import ExamResults, ImageResult, ModelIdentity, NotCounted, RefusedImage


def exam_results(exam: Exam, model: Model, question: ExamQuestion) -> ExamResults:
    """Return the results of an exam: its images, and the decisions on its breasts and on it."""
    counted = _counted_images(exam, model)
    breasts = exam_decisions.decide_breasts(model.manifest, counted)
    decision = exam_decisions.decide_exam(model.manifest, counted)

    return ExamResults(
        model=_identity(model),
        method=question.question.method,
        layer=_layer(model, question.question),
        level=question.question.level,
        scale=question.question.scale,
        images=tuple(_result(image, model) for image in exam.images),
        breasts=breasts,
        exam=decision,
        warnings=exam_decisions.decision_warnings(model.manifest, breasts, decision),
    )


def image_results(
    explanation: Explanation, header: bytes | None, model: Model, question: Question
) -> ExamResults:
    """Return the results of one image alone, without a breast and an exam."""
    return ExamResults(
        model=_identity(model),
        method=question.method,
        layer=_layer(model, question),
        level=question.level,
        scale=question.scale,
        images=(_image(explanation, None, header, model),),
        breasts={},
        exam=None,
    )


def _result(image: ExplainedImage | RefusedImage, model: Model) -> ImageResult | RefusedImage:
    match image:
        case RefusedImage():
            return image
        case ExplainedImage():
            return _image(image.explanation, image.not_counted, image.header, model)
    assert_never(image)


def _image(
    explanation: Explanation, not_counted: NotCounted | None, header: bytes | None, model: Model
) -> ImageResult:
    explained = explanation.class_explanation
    decision = exam_decisions.decide_image(
        model.manifest,
        _probability(explanation, model),
        positive=is_positive(model, explained.scores),
    )
    return ImageResult(
        facts=explanation.prediction.reading.facts,
        decision=decision,
        not_counted=not_counted,
        state=explained.heatmap.state,
        peak=explained.heatmap.peak,
        regions=tuple(explanation.regions),
        note=explanation.note,
        warnings=explanation.warnings,
        header=header,
    )


def _counted_images(exam: Exam, model: Model) -> Sequence[CountedImage]:
    counted = []
    for position, image in enumerate(exam.images):
        if isinstance(image, RefusedImage) or image.not_counted is not None:
            continue
        facts = image.explanation.prediction.reading.facts
        if facts.laterality is not None and facts.view is not None:
            probability = _probability(image.explanation, model)
            counted.append(CountedImage(position, facts.laterality, facts.view, probability))
    return counted


def _probability(explanation: Explanation, model: Model) -> float:
    """Return the probability of the positive class."""
    return explanation.prediction.probabilities[model.manifest.positive_class]


def _identity(model: Model) -> ModelIdentity:
    manifest = model.manifest
    return ModelIdentity(
        manifest.name,
        manifest.version,
        model.digest,
        manifest.positive_class,
        manifest.intended_use,
    )


def _layer(model: Model, question: Question) -> str | None:
    """Return the layer that is explained, None for a method that explains the input."""
    if question.method not in METHODS:
        return None
    return question.layer or model.manifest.default_layer
