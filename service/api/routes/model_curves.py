"""GET /model/curves: ROC curves and calibration of the model version."""

from fastapi import APIRouter, Request, Response

from service.api import responses
from service.api.dependencies import AnyEngine
from service.api.negotiation import MediaType, negotiate
from service.api.options import NoQuery
from service.api.problems.documentation import document
from service.api.problems.http_errors import InvalidParameters
from service.api.problems.problem_types import ACCESS_ERRORS
from service.api.schemas import CurvesAnswer, MeasuredCalibration, RocCurves
from service.errors import Draining, NotAcceptable, NotReady
from service.observability.stopwatch import Stopwatch

router = APIRouter(tags=["Model"])


@router.get(
    "/model/curves",
    operation_id="show_curves",
    summary="ROC curves and calibration",
    response_model=CurvesAnswer,
    response_description="Curves of each level, and the calibration of images.",
    responses=document(NotReady, Draining, NotAcceptable, InvalidParameters, *ACCESS_ERRORS),
)
async def show_curves(request: Request, engine: AnyEngine, _: NoQuery) -> Response:
    """Return how well the model version ranks test cases, and how far its probabilities hold."""
    negotiate(request, MediaType.JSON)
    model = engine.require_model()
    curves = model.curves
    body = CurvesAnswer(
        model=responses.model_name(model),
        levels=None if curves is None else RocCurves.model_validate(curves.levels),
        calibration=None
        if curves is None
        else MeasuredCalibration.model_validate(curves.calibration),
    )
    return responses.as_json(body, Stopwatch())
