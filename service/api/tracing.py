"""OpenTelemetry traces: a span per request and one per step, with nothing in them of what a caller sent.

FastAPI's own instrumentation is off: it would record paths and queries, which may name a person.
"""

from anyio import to_thread
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import __version__
from service.api.inference import Inference
from service.api.kinds import KINDS, InternalError
from service.api.observation import method, route


def provider_for(address: str) -> TracerProvider:
    """Spans that are sent in batches, from a thread of their own, to the collector at that OTLP/HTTP address."""
    resource = Resource.create({"service.name": "mammolens", "service.version": __version__})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=address)))
    return provider


class TraceRequests:
    """Traces every request; the provider ends with the application."""

    def __init__(self, app: ASGIApp, provider: TracerProvider) -> None:
        self._app = app
        self._provider = provider
        self._tracer = provider.get_tracer("mammolens", __version__)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on (ASGI)."""
        if scope["type"] != "http":
            try:
                await self._app(scope, receive, send)
            finally:
                await to_thread.run_sync(self._provider.shutdown)
            return
        span, status = self._tracer.start_span(method(scope), _parent(scope), SpanKind.SERVER), 0

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, tell)
        finally:
            self._describe(span, scope, status or int(KINDS[InternalError].status))
            span.end()

    def _describe(self, span: Span, scope: Scope, status: int) -> None:
        """Says what the request was, once that is known, and adds its steps."""
        span.update_name(f"{method(scope)} {route(scope)}")
        span.set_attribute("http.request.method", method(scope))
        span.set_attribute("http.route", route(scope))
        span.set_attribute("http.response.status_code", status)
        span.set_attribute("mammolens.request_id", scope["request_id"])
        if "problem" in scope:
            span.set_attribute("error.type", scope["problem"])
        if status >= KINDS[InternalError].status:
            span.set_status(StatusCode.ERROR)
        inference: Inference | None = scope.get("inference")
        if inference is None:
            return
        manifest = inference.model.manifest
        span.set_attribute("mammolens.model", f"{manifest.name}/{manifest.version}")
        for lap in inference.laps:
            step = self._tracer.start_span(lap.step, set_span_in_context(span), start_time=round(lap.start * 1e9))
            step.end(round((lap.start + lap.milliseconds / 1e3) * 1e9))


def _parent(scope: Scope) -> Context:
    """The trace that the caller's `traceparent` names (W3C Trace Context).

    Its `tracestate` is left out: a caller may write anything there, and we ask nobody further.
    """
    traceparent = Headers(scope=scope).get("traceparent", "")
    return TraceContextTextMapPropagator().extract({"traceparent": traceparent}, Context())
