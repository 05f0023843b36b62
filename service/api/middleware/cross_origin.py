"""Pages of other origins: which may call the service from a browser, and what others may not do.

A browser sends a form or an image to another origin without asking. So a page anywhere could drive
a service that serves callers without a key. The check is that of OWASP and of Go's
CrossOriginProtection: `Sec-Fetch-Site`, or else `Origin` against `Host`.
"""

from collections.abc import Collection, Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.problems.handlers import respond
from service.api.problems.http_errors import ForeignOrigin

_SAFE = {"GET", "HEAD", "OPTIONS"}
_OWN_SITES = {"same-origin", "none"}
_HEADERS = [
    "Authorization",
    "Content-Type",
    "Request-Timeout",
    "X-Request-ID",
    "traceparent",
    "tracestate",
]


class CrossOrigin(CORSMiddleware):
    """CORS for the listed origins. Pages of other origins may not change anything.

    `guarded`: paths to which they may not post; None stands for all.
    """

    def __init__(
        self,
        app: ASGIApp,
        origins: Sequence[str],
        exposed: Sequence[str],
        guarded: Collection[str] | None,
    ) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=_HEADERS,
            expose_headers=exposed,
        )
        self._guarded = guarded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on (ASGI), answer a preflight request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        detail = self._refusal(scope, Headers(scope=scope))
        if detail is None:
            await super().__call__(scope, receive, send)
            return

        response = respond(Request(scope), ForeignOrigin(detail), {"Vary": "Origin"})
        await response(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> str | None:
        """Return why the request is refused, or None if it is not."""
        if scope["method"] == "OPTIONS":
            is_preflight = "origin" in headers and "access-control-request-method" in headers
            if is_preflight and self.preflight_response(headers).status_code >= 400:  # noqa: PLR2004
                return "Pages of this origin may not send this method with these headers."
            return None

        is_guarded = self._guarded is None or scope["path"] in self._guarded
        if scope["method"] in _SAFE or not is_guarded or self._is_own(headers):
            return None
        return "Pages of this origin may not post to the service."

    def _is_own(self, headers: Headers) -> bool:
        """Whether the request comes from a listed origin, from the service's own, or from no page.

        The scheme is not compared: a proxy in front may have ended TLS.
        """
        origin = headers.get("origin")
        if origin is not None and self.is_allowed_origin(origin):
            return True

        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in _OWN_SITES
        return origin is None or origin.partition("://")[2] == headers.get("host")
