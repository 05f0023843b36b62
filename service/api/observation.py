"""Every request's ID, its counts and its one line in the log: the route's template, never the path that was sent."""

import logging
import re
import time
import uuid

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.kinds import KINDS, InternalError
from service.api.metrics import Metrics
from service.logs import REQUEST_ID

_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = {"GET", "POST", "HEAD", "OPTIONS"}
_log = logging.getLogger("mammolens.access")


def route(scope: Scope) -> str:
    """The template of the request's route, as the API document has it."""
    return getattr(scope.get("route"), "path_format", "unknown")


def method(scope: Scope) -> str:
    """The request's method; one that no route has could be anything, and is not repeated."""
    return scope["method"] if scope["method"] in _METHODS else "other"


def caller(scope: Scope) -> str:
    """Who asks, where that is known."""
    return str(scope.get("caller", "-"))


class ObserveRequests:
    """Gives every request an ID, or takes the caller's own if that can do no harm; counts the request and logs it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status, received = time.perf_counter(), int(KINDS[InternalError].status), 0
        scope["request_id"] = _request_id(scope)
        REQUEST_ID.set(scope["request_id"])  # for good: the task is this request's, and what fails may be logged later

        async def take() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", scope["request_id"].encode())]
            await send(message)

        try:
            await self._app(scope, take, tell)
        except Exception:  # answered outside of here
            scope["problem"] = KINDS[InternalError].slug
            raise
        finally:
            self._tell(scope, status, time.perf_counter() - start, received)

    def _tell(self, scope: Scope, status: int, seconds: float, received: int) -> None:
        self._metrics.requests.labels(route(scope), str(status)).inc()
        self._metrics.seconds.labels(route(scope)).observe(seconds)
        fields = {
            "method": method(scope),
            "route": route(scope),
            "status": status,
            "duration_ms": round(seconds * 1e3, 1),
            "problem": scope.get("problem", "-"),
            "caller": caller(scope),
            "received_bytes": received,
        }
        line = "%(method)s %(route)s %(status)d %(duration_ms).1f ms %(problem)s %(caller)s"
        _log.info(line, fields, extra={"fields": fields})


def _request_id(scope: Scope) -> str:
    offered = Headers(scope=scope).get("x-request-id", "")
    return offered if _ACCEPTABLE_ID.fullmatch(offered) else uuid.uuid4().hex
