"""The audit's line of each inference, written before its answer is begun: no line, no answer."""

from datetime import UTC, datetime

from anyio import to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.inference import Inference
from service.api.kinds import KINDS, InternalError
from service.api.observation import caller, route
from service.audit import Audit, Line


class AuditInferences:
    """Writes a line for every request that brought an image; where it cannot, the answer is a fault of the service."""

    def __init__(self, app: ASGIApp, audit: Audit) -> None:
        self._app = app
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on (ASGI)."""
        answered = False

        async def tell(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                await self._write(scope, message["status"], scope.get("problem", "ok"))
            await send(message)

        try:
            await self._app(scope, receive, tell)
        except Exception:
            if not answered:  # it will be, outside of here
                kind = KINDS[InternalError]
                await self._write(scope, int(kind.status), kind.slug)
            raise

    async def _write(self, scope: Scope, status: int, outcome: str) -> None:
        inference: Inference | None = scope.get("inference")
        if inference is None:
            return
        manifest = inference.model.manifest
        line = Line(
            time=datetime.now(UTC).isoformat(timespec="milliseconds"),
            request_id=scope["request_id"],
            caller=caller(scope),
            route=route(scope),
            model=manifest.name,
            version=manifest.version,
            digest=inference.model.digest,
            image=inference.image,
            outcome=outcome,
            status=status,
        )
        await to_thread.run_sync(self._audit.write, line)
