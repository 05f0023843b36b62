"""POST /predict: cancer or no cancer."""

from fastapi import APIRouter, Request, Response

from service import errors, pipeline
from service.api import answers, examples
from service.api.engine import AnyEngine, Lane, RequestTimeout
from service.api.kinds import ACCESS, InvalidParameters
from service.api.metrics import observe
from service.api.negotiation import MediaType, negotiate
from service.api.options import NoQuery
from service.api.problems import document
from service.api.schemas import PredictAnswer
from service.api.upload import BODY, read_upload
from service.stopwatch import Stopwatch

UPLOAD_ERRORS = (
    errors.EmptyImage, errors.MissingFile, errors.MalformedUpload, errors.UploadTooLarge, errors.TooManyPixels,
    errors.UnsupportedMediaType, errors.UnsupportedFormat, errors.UnsupportedImage, errors.UnsupportedSyntax,
    errors.SeveralFrames, errors.ForProcessing, errors.CorruptImage, errors.Undecodable, errors.NotAMammogram,
    errors.Tomosynthesis, errors.NoBreast, errors.NotAcceptable, errors.UploadTooSlow, errors.NotReady, errors.Draining,
    errors.Busy, errors.DeadlinePassed, InvalidParameters, *ACCESS,
)  # fmt: skip
"""What can go wrong wherever an image is posted."""

router = APIRouter(tags=["Mammograms"])


@router.post(
    "/predict",
    operation_id="predict",
    summary="Probability of cancer",
    response_model=PredictAnswer,
    response_description="The prediction.",
    responses=examples.show(examples.PREDICT) | document(*UPLOAD_ERRORS),
    openapi_extra=BODY,
)
async def predict(request: Request, engine: AnyEngine, _: NoQuery, seconds: RequestTimeout = None) -> Response:
    """The model's calibrated probability for one mammogram, and the decision at its operating point."""
    negotiate(request, MediaType.JSON)
    watch = Stopwatch()
    async with engine.admit(Lane.PREDICT, seconds) as place:
        model, data = place.model, await read_upload(request, place)
        found = await place.run(request, lambda: pipeline.predict(model, place.read, data, watch))
    observe(request, watch, found.cautions, found.probabilities[model.manifest.positive_class])
    body = PredictAnswer(
        model=answers.model_name(model),
        image=answers.image(found.reading),
        prediction=answers.prediction(found, model.manifest),
        diagnostics=answers.diagnostics(found.diagnostics),
        warnings=list(found.cautions),
        timings_ms=watch.milliseconds,
    )
    return answers.as_json(body, watch)
