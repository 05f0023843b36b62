"""Request log: the ID, the counts and one log line of every request.

The route's template is logged, never the path that was sent.
"""

import logging
import re
import time
import uuid

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems.http_errors import InternalError
from service.api.problems.problem_types import status_of
from service.api.record import RequestRecord, begin_record, method, route
from service.observability.logs import REQUEST_ID
from service.observability.metrics import Metrics

_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_log = logging.getLogger("mammolens.access")


class RequestLog:
    """Gives every request an ID and a record, counts it and logs it.

    A client's own `X-Request-ID` is kept if it consists of harmless characters.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        start = time.perf_counter()
        status = int(status_of(InternalError))
        received_bytes = 0
        record = begin_record(scope, _request_id(scope))
        # Never reset: the task belongs to this request, and late errors are logged under its ID.
        REQUEST_ID.set(record.request_id)

        async def counted_receive() -> Message:
            nonlocal received_bytes
            message = await receive()
            received_bytes += len(message.get("body", b""))
            return message

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                header = (b"x-request-id", record.request_id.encode())
                message["headers"] = [*message["headers"], header]
            await send(message)

        try:
            await self._app(scope, counted_receive, send_with_id)
        except Exception:
            # The outermost handler will answer with an internal error.
            record.problem = InternalError.slug
            raise
        finally:
            seconds = time.perf_counter() - start
            self._metrics.request_answered(route(scope), status, seconds)
            _log_request(scope, record, status, seconds, received_bytes)


def _log_request(
    scope: Scope, record: RequestRecord, status: int, seconds: float, received_bytes: int
) -> None:
    fields = {
        "method": method(scope),
        "route": route(scope),
        "status": status,
        "duration_ms": round(seconds * 1e3, 1),
        "problem": record.problem or "-",
        "caller": record.caller,
        "received_bytes": received_bytes,
    }
    line = "%(method)s %(route)s %(status)d %(duration_ms).1f ms %(problem)s %(caller)s"
    _log.info(line, fields, extra={"fields": fields})


def _request_id(scope: Scope) -> str:
    offered = Headers(scope=scope).get("x-request-id", "")
    return offered if _ACCEPTABLE_ID.fullmatch(offered) else uuid.uuid4().hex
