"""POST /exam: the decisions on an exam of several mammograms, its breasts and its images."""

from dataclasses import asdict
from functools import partial
from typing import Any

from fastapi import APIRouter, Depends, Response

from service import pipeline
from service.api import responses, schemas
from service.api.exam_request import ExamCall, ExamOutcome, ExamRequest, document_exam_errors
from service.api.negotiation import MediaType
from service.api.options import ExamOptions, ExamQuery, HeatShown, refuse_repeated
from service.api.problems.problem_types import members
from service.api.schemas.rounding import SHARE_DIGITS, kept_apart
from service.api.upload.body_types import EXAM_BODY
from service.model import Model
from service.observability.stopwatch import Stopwatch
from service.pipeline import Exam, ExamQuestion, ExplainedImage
from service.records import ExamDecision, ExamResults, Laterality, LevelDecision

router = APIRouter(tags=["Mammograms"], dependencies=[Depends(refuse_repeated)])


@router.post(
    "/exam",
    operation_id="explain_exam",
    summary="Decisions on an exam and its breasts",
    response_model=schemas.ExamAnswer,
    response_description="The decisions on the exam, its breasts and each of its images.",
    responses=responses.TIMED | document_exam_errors(),
    openapi_extra=EXAM_BODY,
)
async def explain_exam(request: ExamRequest, options: ExamQuery) -> Response:
    """Return the decisions on an exam of several mammograms, with the heat of its images.

    An image that cannot be read is refused alone. The others are answered.
    """
    work = partial(_explain, options)
    return await request.answer(work, options.question(), MediaType.JSON)


def _explain(options: ExamOptions, call: ExamCall) -> ExamOutcome:
    question = ExamQuestion(options.question())
    exam = call.explain(question)
    results = pipeline.exam_results(exam, call.model, question)

    answer = body(call.model, exam, results, options.heat, call.timer)
    return ExamOutcome(responses.as_json(answer, call.timer), exam)


def body(
    model: Model, exam: Exam, results: ExamResults, shown: HeatShown, timer: Stopwatch
) -> schemas.ExamAnswer:
    """Return the JSON answer."""
    layer = None if results.layer is None else model.manifest.layer(results.layer)
    return schemas.ExamAnswer(
        model=responses.model_name(model),
        method=results.method,
        layer=None if layer is None else responses.layer(layer),
        images=_images(model, exam, shown),
        breasts=schemas.BreastPredictions(left=_breast(results, "L"), right=_breast(results, "R")),
        exam=None if results.exam is None else _exam(results.exam),
        warnings=responses.warnings(results.warnings),
        timings_ms=timer.milliseconds,
    )


def _images(model: Model, exam: Exam, shown: HeatShown) -> list[schemas.ExamImage]:
    images = []
    for position, image in enumerate(exam.images):
        if isinstance(image, ExplainedImage):
            images.append(schemas.ExamImage(_answered(model, image, shown)))
        else:
            error = exam.refusals[position]
            problem = schemas.ImageProblem.model_validate(members(type(error), str(error)))
            refused = schemas.RefusedExamImage(status="refused", problem=problem)
            images.append(schemas.ExamImage(refused))
    return images


def _answered(model: Model, image: ExplainedImage, shown: HeatShown) -> schemas.AnsweredExamImage:
    explanation = image.explanation
    prediction = responses.prediction(explanation.prediction, model.manifest)
    return schemas.AnsweredExamImage(
        status="answered",
        image=responses.image(explanation.prediction.reading),
        prediction=prediction,
        heat=responses.heat(explanation) if is_shown(model, image, shown) else None,
        diagnostics=responses.diagnostics(explanation.diagnostics),
        warnings=responses.warnings(explanation.warnings),
        counted=image.not_counted is None,
        not_counted=image.not_counted,
    )


def is_shown(model: Model, image: ExplainedImage, shown: HeatShown) -> bool:
    """Return whether the answer holds the heat of the image."""
    if shown is HeatShown.POSITIVE:
        prediction = responses.prediction(image.explanation.prediction, model.manifest)
        return prediction.positive
    return shown is HeatShown.ALL


def _breast(results: ExamResults, side: Laterality) -> schemas.BreastPrediction | None:
    breast = results.breasts.get(side)
    if breast is None:
        return None
    return schemas.BreastPrediction(images=list(breast.images), **_level(breast.decision))


def _exam(exam: ExamDecision) -> schemas.ExamPrediction:
    return schemas.ExamPrediction(
        driven_by=exam.driven_by,
        views=list(exam.views),
        missing_views=list(exam.missing_views),
        complete=exam.is_complete,
        **_level(exam.decision),
    )


def _level(decision: LevelDecision) -> dict[str, Any]:
    """Return the members of a decision.

    A probability below the threshold is below it after rounding, too.
    """
    level = asdict(decision)
    if decision.threshold is not None and not decision.positive:
        level["probability"] = kept_apart(decision.probability, decision.threshold, SHARE_DIGITS)
    return level
