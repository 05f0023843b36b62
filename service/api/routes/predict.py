"""POST /predict: cancer or no cancer."""

from fastapi import APIRouter, Depends, Response

from service import pipeline
from service.api import responses
from service.api.image_request import ImageAnswer, ImageCall, ImageRequest, document_image_errors
from service.api.negotiation import MediaType
from service.api.options import ImageQuery, refuse_repeated
from service.api.schemas import PredictAnswer
from service.api.upload.body_types import BODY
from service.runtime.engine import Lane

router = APIRouter(tags=["Mammograms"], dependencies=[Depends(refuse_repeated)])


@router.post(
    "/predict",
    operation_id="predict",
    summary="Probability of cancer",
    response_model=PredictAnswer,
    response_description="The prediction.",
    responses=responses.TIMED | document_image_errors(),
    openapi_extra=BODY,
)
async def predict(request: ImageRequest, options: ImageQuery) -> Response:
    """Return the calibrated probability of cancer in one mammogram, and the decision."""
    return await request.answer(Lane.PREDICT, _predict, options, MediaType.JSON)


def _predict(call: ImageCall) -> ImageAnswer:
    manifest = call.model.manifest
    prediction = pipeline.predict(call.model, call.read, call.data, call.timer)

    body = PredictAnswer(
        model=responses.model_name(call.model),
        image=responses.image(prediction.reading),
        prediction=responses.prediction(prediction, manifest),
        diagnostics=responses.diagnostics(prediction.diagnostics),
        warnings=responses.warnings(prediction.warnings),
        timings_ms=call.timer.milliseconds,
    )
    return ImageAnswer(body, prediction.warnings, prediction.probabilities[manifest.positive_class])
