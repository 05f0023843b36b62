"""What stands before every route but the health checks: who asks, and whether they may."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

from service.access import Access, Scope

_BEARER = HTTPBearer(auto_error=False, description="An API key, or a token of the OpenID provider.")
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""On every answer: it is kept nowhere, is framed by nothing, and has nothing but the scorecard's own style."""

_CDN = "https://cdn.jsdelivr.net"
_PAGES = {
    "/docs": (
        f"default-src 'none'; script-src 'unsafe-inline' {_CDN}; style-src 'unsafe-inline' {_CDN}; "
        "img-src https://fastapi.tiangolo.com data:; connect-src 'self'; frame-ancestors 'none'"
    ),
    "/redoc": (
        f"default-src 'none'; script-src 'unsafe-inline' {_CDN}; worker-src blob:; connect-src 'self'; "
        "style-src 'unsafe-inline' https://fonts.googleapis.com; font-src https://fonts.gstatic.com; "
        "img-src https: data:; frame-ancestors 'none'"
    ),
}
"""The pages of the API's documentation, as FastAPI writes them, load scripts from elsewhere."""


def requires(scope: Scope | None = None) -> Any:
    """The dependency that lets only callers with that scope pass; without one, everyone who says who they are."""

    async def admit(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]
    ) -> None:
        access: Access = request.app.state.access
        address = request.client.host if request.client else "-"
        caller = await access.admit(credentials.credentials if credentials else None, scope, address)
        request.scope["caller"] = caller.name

    checking: Callable[..., Awaitable[None]] = admit
    return Depends(checking)


class SecureAnswers:
    """Adds the security headers; the pages of the API's documentation have their own policies."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Passes the request on (ASGI)."""

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if policy := _PAGES.get(scope["path"]):
                    headers["Content-Security-Policy"] = policy
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, tell)
