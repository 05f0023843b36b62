"""OpenTelemetry traces: one span per request and one per step.

Spans hold nothing that a client sent.

FastAPI's own instrumentation is off: it records paths and queries, which may name a person.
"""

from anyio import to_thread
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import __version__
from service.api.problems.http_errors import InternalError
from service.api.problems.problem_types import status_of
from service.api.record import RequestRecord, method, record_of, route


def provider_for(address: str) -> TracerProvider:
    """Return a provider that sends spans to the collector at that OTLP/HTTP address.

    Spans are sent in batches, from a thread of the provider. OTEL_SERVICE_NAME and
    OTEL_RESOURCE_ATTRIBUTES come before the service's own attributes.
    """
    own = Resource({"service.name": "mammolens", "service.version": __version__})
    resource = Resource.create(dict(own.merge(OTELResourceDetector().detect()).attributes))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=address)))
    return provider


UNTRACED = ("/livez", "/readyz", "/metrics")
"""Paths of probes and scrapes, which come every few seconds and tell nothing."""


class Tracing:
    """Traces every request but probes and scrapes.

    The provider is shut down with the application.
    """

    def __init__(self, app: ASGIApp, provider: TracerProvider) -> None:
        self._app = app
        self._provider = provider
        self._tracer = provider.get_tracer("mammolens", __version__)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on (ASGI)."""
        if scope["type"] != "http":
            try:
                await self._app(scope, receive, send)
            finally:
                await to_thread.run_sync(self._provider.shutdown)
            return

        if scope["path"] in UNTRACED:
            await self._app(scope, receive, send)
            return

        span = self._tracer.start_span(method(scope), _parent(scope), SpanKind.SERVER)
        status = 0

        async def send_and_keep_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_keep_status)
        finally:
            self._describe(span, scope, status or int(status_of(InternalError)))
            span.end()

    def _describe(self, span: Span, scope: Scope, status: int) -> None:
        """Set the attributes of the request's span and add a span for each step."""
        record = record_of(scope)
        span.update_name(f"{method(scope)} {route(scope)}")
        span.set_attribute("http.request.method", method(scope))
        span.set_attribute("http.route", route(scope))
        span.set_attribute("http.response.status_code", status)
        span.set_attribute("mammolens.request_id", record.request_id)

        if record.problem is not None:
            span.set_attribute("error.type", record.problem)
        if status >= status_of(InternalError):
            span.set_status(StatusCode.ERROR)
        if record.inferences:
            self._add_steps(span, record)

    def _add_steps(self, span: Span, record: RequestRecord) -> None:
        manifest = record.inferences[0].model.manifest
        span.set_attribute("mammolens.model", f"{manifest.name}/{manifest.version}")

        context = set_span_in_context(span)
        for lap in record.laps:
            end = lap.start + lap.milliseconds / 1e3
            step = self._tracer.start_span(lap.step, context, start_time=round(lap.start * 1e9))
            step.end(round(end * 1e9))


def _parent(scope: Scope) -> Context:
    """Return the trace that the client's `traceparent` names (W3C Trace Context).

    `tracestate` is ignored: a client may write any text into it.
    """
    traceparent = Headers(scope=scope).get("traceparent", "")
    return TraceContextTextMapPropagator().extract({"traceparent": traceparent}, Context())
