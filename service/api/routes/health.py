"""GET /livez, /readyz and /metrics: for operators."""

from contextlib import suppress
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Response

from service.api.application import AppParts
from service.api.dependencies import AnyParts, requires
from service.api.options import NoQuery
from service.api.problems.documentation import document
from service.api.problems.http_errors import InvalidParameters
from service.api.problems.problem_types import ACCESS_ERRORS
from service.api.schemas import Health
from service.errors import AuditUnavailable, Draining, NotReady
from service.observability.audit import AuditLost
from service.observability.metrics import CONTENT_TYPE

router = APIRouter(tags=["Operation"])

OPEN: dict[str, Any] = {"security": []}
"""Says in the document that a route takes callers without a key."""


@router.head("/livez", include_in_schema=False)
@router.get(
    "/livez",
    operation_id="check_alive",
    summary="Alive",
    response_description="The process answers.",
    responses=document(InvalidParameters),
    openapi_extra=OPEN,
)
async def check_alive(_: NoQuery) -> Health:
    """Answer while the process lives. Never waits for a prediction or for the model."""
    return Health(status="alive")


@router.head("/readyz", include_in_schema=False)
@router.get(
    "/readyz",
    operation_id="check_ready",
    summary="Ready",
    response_description="The model is loaded and checked, and every path has run once.",
    responses=document(NotReady, Draining, AuditUnavailable, InvalidParameters),
    openapi_extra=OPEN,
)
async def check_ready(parts: AnyParts, _: NoQuery) -> Health:
    """Answer 200 when images can be predicted, and 503 before, or while no audit can be written."""
    parts.engine.require_model()
    await _check_audit(parts)
    return Health(status="ready")


@router.get(
    "/metrics",
    operation_id="read_metrics",
    summary="Prometheus metrics",
    response_class=Response,
    response_description="Prometheus text format.",
    responses=document(InvalidParameters, *ACCESS_ERRORS)
    | {200: {"content": {CONTENT_TYPE: {"schema": {"type": "string"}}}}},
    dependencies=[requires()],
)
async def read_metrics(parts: AnyParts, _: NoQuery) -> Response:
    """Return counts and times in the Prometheus text format. They contain no image data."""
    with suppress(AuditUnavailable):
        await _check_audit(parts)
    return Response(parts.metrics.expose(), media_type=CONTENT_TYPE)


async def _check_audit(parts: AppParts) -> None:
    """Try the audit if its last line was lost.

    Raises:
        AuditUnavailable: no line can be written.
    """
    if parts.audit is None or not parts.audit.is_failing:
        return
    try:
        await to_thread.run_sync(parts.audit.check)
    except AuditLost as error:
        raise AuditUnavailable(
            "The audit cannot be written, so no image can be answered."
        ) from error
