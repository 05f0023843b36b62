"""Audit of inferences.

The lines are written before the response begins: without them there is no answer.
"""

from datetime import UTC, datetime

from anyio import to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems.http_errors import InternalError
from service.api.problems.problem_types import status_of
from service.api.record import record_of, route
from service.observability.audit import Audit, AuditRecord


class InferenceAudit:
    """Writes a line for every image that a request brought.

    If it cannot, the answer is an internal error.
    """

    def __init__(self, app: ASGIApp, audit: Audit) -> None:
        self._app = app
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on (ASGI)."""
        answered = False

        async def send_after_audit(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                outcome = record_of(scope).problem or "ok"
                await self._write(scope, message["status"], outcome)
            await send(message)

        try:
            await self._app(scope, receive, send_after_audit)
        except Exception:
            # The outermost handler will answer with an internal error.
            if not answered:
                await self._write(scope, int(status_of(InternalError)), InternalError.slug)
            raise

    async def _write(self, scope: Scope, status: int, outcome: str) -> None:
        """Write the lines of the request's images, each with its own outcome if it has one."""
        record = record_of(scope)
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        lines = []
        for inference in record.inferences:
            manifest = inference.model.manifest
            own_outcome, own_status = inference.refusal or (outcome, status)
            line = AuditRecord(
                time=time,
                request_id=record.request_id,
                caller=record.caller,
                route=route(scope),
                model=manifest.name,
                version=manifest.version,
                digest=inference.model.digest,
                image=inference.image,
                outcome=own_outcome,
                status=own_status,
                exam=inference.exam,
            )
            lines.append(line)
        if lines:
            await to_thread.run_sync(self._audit.write, *lines)
