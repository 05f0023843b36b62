"""Every error that leaves the service, as application/problem+json (RFC 9457): one shape."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from service import errors
from service.api.access import SECURITY_HEADERS
from service.api.kinds import KINDS, InternalError, InvalidParameters, Kind, MethodNotAllowed, RouteNotFound
from service.api.schemas import InvalidParameter, Problem

MEDIA_TYPE = "application/problem+json"
_CLIENT_CLOSED_REQUEST = 499  # as proxies log it; nobody is there to read it
NAME = re.compile(r"[a-z_-]{1,32}")


def describe(error: errors.MammolensError, **more: object) -> Problem:
    """The problem that says this error; `more` are further members."""
    return Problem.model_validate({**_kind(error).members(str(error)), **error.facts, **more})


def _kind(error: errors.MammolensError) -> Kind:
    return next(KINDS[cls] for cls in type(error).__mro__ if cls in KINDS)


def respond(
    request: Request, error: errors.MammolensError, headers: Mapping[str, str] | None = None, **more: object
) -> Response:
    """The answer to that error; `more` are further members of the problem."""
    problem = describe(error, request_id=request.scope.get("request_id"), **more)
    request.scope["problem"] = problem.type.rpartition(":")[2]
    retry = {"Retry-After": str(error.retry_after)} if isinstance(error, errors.Unavailable) else {}
    content = problem.model_dump_json(exclude_none=True)
    return Response(content, problem.status, {**(headers or {}), **_kind(error).headers, **retry}, MEDIA_TYPE)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.MammolensError)  # noqa: S101 - how it is registered
    return respond(request, error)


async def _abandoned(request: Request, _: Exception) -> Response:
    request.scope["problem"] = "abandoned"
    return Response(status_code=_CLIENT_CLOSED_REQUEST)


async def _validation(request: Request, error: Exception) -> Response:
    """Names the parameters and what they must be, never what was sent: it might identify a person."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - how it is registered
    invalid = [
        InvalidParameter(parameter=_parameter(found["loc"]), message=str(found["msg"])) for found in error.errors()
    ]
    problem = InvalidParameters(f"{len(invalid)} parameter{'s' * (len(invalid) > 1)} cannot be taken.")
    return respond(request, problem, invalid_parameters=invalid)


def _parameter(location: Sequence[int | str]) -> str:
    """The parameter's name where it looks like one; anything else a caller made up is not repeated."""
    name = str(location[1]) if len(location) > 1 else ""
    return name if NAME.fullmatch(name) else "(not a parameter name)"


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - how it is registered
    if error.status_code == HTTPStatus.NOT_FOUND:
        return respond(request, RouteNotFound("No route has this path."))
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return respond(request, MethodNotAllowed("The route does not have this method."), error.headers)
    return respond(request, InternalError("The service failed to answer."))


async def _fault(request: Request, _: Exception) -> Response:
    # Sent from outside the middleware that adds them.
    headers = {"X-Request-ID": request.scope["request_id"], **SECURITY_HEADERS}
    return respond(request, InternalError("The service failed to answer."), headers)


def install(app: FastAPI) -> None:
    """Makes every error of the app a problem."""
    app.add_exception_handler(errors.MammolensError, _ours)
    app.add_exception_handler(errors.Abandoned, _abandoned)
    app.add_exception_handler(ClientDisconnect, _abandoned)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _fault)


def document(*kinds: type[errors.MammolensError]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI responses for those errors, one per status, with an example per kind."""
    by_status: dict[int | str, list[Kind]] = {}
    for cls in kinds:
        by_status.setdefault(int(KINDS[cls].status), []).append(KINDS[cls])
    return {status: _response(sharing) for status, sharing in sorted(by_status.items(), key=lambda item: int(item[0]))}


def _response(kinds: Sequence[Kind]) -> dict[str, Any]:
    examples = {kind.slug: {"value": kind.members(kind.title + ".")} for kind in kinds}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": "; ".join(kind.title for kind in kinds) + ".",
        "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }
