"""FastAPI dependencies of the routes: the engine, access control and the request's deadline."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import Field

from service.access import AccessScope
from service.api.application import AppParts, get_parts, parts_of
from service.api.options import Absent
from service.api.record import record_of
from service.runtime.engine import Engine

_BEARER = HTTPBearer(auto_error=False, description="An API key, or a token of the OpenID provider.")


async def get_engine(request: Request) -> Engine:
    """Return the engine of the application that got this request."""
    return parts_of(request).engine


AnyParts = Annotated[AppParts, Depends(get_parts)]
AnyEngine = Annotated[Engine, Depends(get_engine)]
RequestTimeout = Annotated[
    Annotated[float, Field(gt=0, le=3600)] | Absent,
    Header(
        alias="Request-Timeout",
        description="Seconds that the client will wait, if less than the service's deadline.",
        examples=[5],
    ),
]


def requires(scope: AccessScope | None = None) -> Any:
    """Return the dependency that admits callers with that scope, or without one all callers."""

    async def admit(
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    ) -> None:
        gate = parts_of(request).gate
        credential = credentials.credentials if credentials else None
        address = request.client.host if request.client else "-"
        caller = await gate.admit(credential, scope, address)
        record_of(request.scope).caller = caller.name

    dependency: Callable[..., Awaitable[None]] = admit
    return Depends(dependency)
