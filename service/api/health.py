"""GET /livez, /readyz and /metrics: for those who run the service."""

from fastapi import APIRouter, Request, Response

from service.api import examples
from service.api.access import requires
from service.api.engine import AnyEngine
from service.api.kinds import ACCESS, InvalidParameters
from service.api.metrics import CONTENT_TYPE, get_metrics
from service.api.options import NoQuery
from service.api.problems import document
from service.api.schemas import Health
from service.errors import Draining, NotReady

router = APIRouter(tags=["Operation"])


@router.get(
    "/livez",
    operation_id="check_alive",
    summary="Alive",
    response_description="The process answers.",
    responses=examples.show(examples.ALIVE) | document(InvalidParameters),
)
async def check_alive(_: NoQuery) -> Health:
    """Answers while the process lives; it never waits for a prediction or for the model."""
    return Health(status="alive")


@router.get(
    "/readyz",
    operation_id="check_ready",
    summary="Ready",
    response_description="The model is loaded, reproduces its golden case, and every path is warm.",
    responses=examples.show(examples.READY) | document(NotReady, Draining, InvalidParameters),
)
async def check_ready(engine: AnyEngine, _: NoQuery) -> Health:
    """200 when predictions can be answered, 503 until then."""
    engine.require_model()
    return Health(status="ready")


@router.get(
    "/metrics",
    operation_id="read_metrics",
    summary="Prometheus metrics",
    response_class=Response,
    response_description="Prometheus text format.",
    responses=document(InvalidParameters, *ACCESS) | {200: {"content": {CONTENT_TYPE: {"schema": {"type": "string"}}}}},
    dependencies=[requires()],
)
async def read_metrics(request: Request, _: NoQuery) -> Response:
    """Counts and times in the Prometheus text format; nothing of any image is in them."""
    return Response(get_metrics(request).expose(), media_type=CONTENT_TYPE)
