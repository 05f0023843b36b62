"""Handlers that turn every error of the application into a problem."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from service.api.problems.documentation import JSON, MEDIA_TYPE
from service.api.problems.http_errors import (
    InternalError,
    InvalidParameters,
    MethodNotAllowed,
    RouteNotFound,
)
from service.api.problems.parameter_names import shown_name
from service.api.problems.problem_types import HEADERS, members
from service.api.record import record_of
from service.api.response_headers import SECURITY_HEADERS
from service.api.schemas import InferenceError, InvalidParameter, Problem
from service.errors import Abandoned, MammolensError, NoImageAnswered, Unavailable

# A second fault of an optional parameter with a wrong value. No request can have null in its place.
_NULL_REFUSED = "none_required"

INFERENCE_ROOT = "/v2"
"""Root of the routes of the Open Inference Protocol."""

# As proxies log it. The client, which has disconnected, never receives it.
_CLIENT_CLOSED_REQUEST = 499


def problem(error: MammolensError, **more: object) -> Problem:
    """Return the problem for an error. `more`: further members."""
    if isinstance(error, NoImageAnswered):
        more["refusals"] = [members(type(refusal), str(refusal)) for refusal in error.refusals]
    return Problem.model_validate({**members(type(error), str(error)), **error.facts, **more})


def respond(
    request: Request,
    error: MammolensError,
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> Response:
    """Return the response to an error and note its slug in the request's record.

    `more`: further members. Below /v2 an error has the shape that the Open Inference Protocol gives
    it.
    """
    record = record_of(request.scope)
    record.problem = error.slug

    body = problem(error, request_id=record.request_id, **more)
    all_headers = {**(headers or {}), **HEADERS.get(type(error), {})}
    if isinstance(error, Unavailable):
        all_headers["Retry-After"] = str(error.retry_after)
    if is_inference_path(request.url.path):
        told = InferenceError(error=_inference_text(error, body))
        return Response(told.model_dump_json(), body.status, all_headers, JSON)
    content = body.model_dump_json(exclude_none=True)
    return Response(content, body.status, all_headers, MEDIA_TYPE)


def is_inference_path(path: str) -> bool:
    """Return whether the path is one of the Open Inference Protocol."""
    return path == INFERENCE_ROOT or path.startswith(f"{INFERENCE_ROOT}/")


def _inference_text(error: MammolensError, body: Problem) -> str:
    """Return the fault, the parameters that it is about, and its remedy."""
    faults = [f"{fault.parameter}: {fault.message}." for fault in body.invalid_parameters or ()]
    return " ".join([str(error), *faults, error.remedy])


def install(app: FastAPI) -> None:
    """Register the handlers."""
    app.add_exception_handler(MammolensError, _handle_error)
    app.add_exception_handler(Abandoned, _handle_abandoned)
    app.add_exception_handler(RequestValidationError, _handle_validation)
    app.add_exception_handler(HTTPException, _handle_http)
    app.add_exception_handler(Exception, _handle_bug)


async def _handle_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, MammolensError)  # noqa: S101 - registered for this class
    return respond(request, error)


async def _handle_abandoned(request: Request, _: Exception) -> Response:
    record_of(request.scope).problem = Abandoned.slug
    return Response(status_code=_CLIENT_CLOSED_REQUEST)


async def _handle_validation(request: Request, error: Exception) -> Response:
    """Name the parameters and their requirements. A value that was sent might identify a person."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    invalid = [
        InvalidParameter(parameter=_parameter_name(fault["loc"]), message=str(fault["msg"]))
        for fault in error.errors()
        if fault.get("type") != _NULL_REFUSED
    ]

    count = len(invalid)
    detail = "1 parameter is invalid." if count == 1 else f"{count} parameters are invalid."
    return respond(request, InvalidParameters(detail), invalid_parameters=invalid)


def _parameter_name(location: Sequence[int | str]) -> str:
    """Return the parameter's name; see `shown_name`."""
    return shown_name(location[1] if len(location) > 1 else "")


async def _handle_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    if error.status_code == HTTPStatus.NOT_FOUND:
        return respond(request, RouteNotFound("There is no route with this path."))
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = "The route does not support this method."
        return respond(request, MethodNotAllowed(detail), error.headers)
    return respond(request, InternalError("The service failed to answer."))


async def _handle_bug(request: Request, _: Exception) -> Response:
    # This handler runs outside of the middleware that adds these headers.
    request_id = record_of(request.scope).request_id
    headers = {"X-Request-ID": request_id, **SECURITY_HEADERS}
    return respond(request, InternalError("The service failed to answer."), headers)
