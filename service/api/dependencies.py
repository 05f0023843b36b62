"""FastAPI dependencies of the routes: the engine, access control and the request's deadline."""

from typing import Annotated, Any

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import Field
from starlette.requests import HTTPConnection

from service.access import AccessScope
from service.api.application import AppParts, get_parts, parts_of
from service.api.options import Absent
from service.api.record import record_of
from service.runtime.engine import Engine


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


class AccessCheck(HTTPBearer):
    """Dependency that admits callers with a scope, or without one all callers.

    It is the security scheme itself, because each further dependency costs time at each request.
    """

    def __init__(self, scope: AccessScope | None) -> None:
        super().__init__(
            scheme_name="HTTPBearer",
            description="An API key, or a token of the OpenID provider.",
            auto_error=False,
        )
        self._scope = scope

    async def __call__(self, request: HTTPConnection) -> HTTPAuthorizationCredentials | None:
        """Admit the caller and note its name in the request's record."""
        credentials = await super().__call__(request)
        credential = credentials.credentials if credentials else None
        address = request.client.host if request.client else "-"
        caller = await parts_of(request).gate.admit(credential, self._scope, address)
        record = record_of(request.scope)
        record.caller = caller.name
        record.admitted = caller
        return credentials


def requires(scope: AccessScope | None = None) -> Any:
    """Return the dependency that admits callers with that scope, or without one all callers."""
    return Security(AccessCheck(scope))
