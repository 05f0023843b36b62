"""The spans of requests and of their steps."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from service import __version__, pipeline
from service.api.app import create_app
from service.api.middleware.tracing import Tracing, provider_for
from service.settings import FAKE, Settings
from tests.support.clients import until_ready
from tests.support.exam_files import as_form, complete_exam_files

TRACE = 0x4BF92F3577B34DA6A3CE929D0E0E4736
PARENT = 0x00F067AA0BA902B7
TRACEPARENT = f"00-{TRACE:032x}-{PARENT:016x}-01"


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture(scope="module")
def running(exporter: InMemorySpanExporter) -> Iterator[TestClient]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    app = create_app(Settings(model=FAKE))
    app.add_middleware(Tracing, provider=provider)

    with TestClient(app, raise_server_exceptions=False) as client:
        until_ready(client)
        yield client


@pytest.fixture
def resource_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, object]]:
    """Return a function that returns the attributes of the resource under variables."""

    def attributes(**environment: str) -> dict[str, object]:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        provider = provider_for("http://127.0.0.1:1/v1/traces")
        provider.shutdown()
        return dict(provider.resource.attributes)

    return attributes


@pytest.fixture
def traced(running: TestClient, exporter: InMemorySpanExporter) -> TestClient:
    exporter.clear()
    return running


def spans(exporter: InMemorySpanExporter) -> tuple[ReadableSpan, list[ReadableSpan]]:
    """Return the span of the one request, and the spans of its steps."""
    finished = exporter.get_finished_spans()
    (server,) = (span for span in finished if span.kind is SpanKind.SERVER)
    return server, [span for span in finished if span is not server]


def test_request_span_has_route_and_outcome(
    traced: TestClient, exporter: InMemorySpanExporter, mammogram_png: bytes
) -> None:
    traced.post(
        "/activations/conv2d", files={"file": mammogram_png}, headers={"x-request-id": "mine"}
    )

    server, _ = spans(exporter)
    assert server.name == "POST /activations/{layer}"
    assert server.attributes == {
        "http.request.method": "POST",
        "http.route": "/activations/{layer}",
        "http.response.status_code": 200,
        "mammolens.request_id": "mine",
        "mammolens.model": "fake/1",
    }
    assert server.status.status_code is StatusCode.UNSET


def test_steps_are_child_spans_of_the_request(
    traced: TestClient, exporter: InMemorySpanExporter, mammogram_png: bytes
) -> None:
    traced.post("/predict", files={"file": mammogram_png})

    server, steps = spans(exporter)
    assert [step.name for step in steps] == ["decode", "fit", "model"]

    times = [server.start_time]
    for step in steps:
        assert step.parent is not None
        assert step.parent.span_id == server.context.span_id
        times += [step.start_time, step.end_time]
    times.append(server.end_time)

    # Nanoseconds. The wall clock and the clock of durations differ.
    slack = 2_000_000
    assert all(one <= other + slack for one, other in pairwise(times) if one and other)


def test_exam_has_spans_of_each_image(traced: TestClient, exporter: InMemorySpanExporter) -> None:
    traced.post("/exam", files=as_form(complete_exam_files()))

    server, steps = spans(exporter)
    names = Counter(step.name for step in steps)
    assert server.name == "POST /exam"
    assert (names["decode"], names["fit"], names["explain"]) == (4, 4, 4)


def test_trace_of_the_caller_continues_without_tracestate(
    traced: TestClient, exporter: InMemorySpanExporter
) -> None:
    traced.get("/model", headers={"traceparent": TRACEPARENT, "tracestate": "patient=doe"})

    server, _ = spans(exporter)
    assert server.parent is not None
    assert (server.parent.trace_id, server.parent.span_id) == (TRACE, PARENT)
    assert not server.context.trace_state


@pytest.mark.parametrize(
    "header", ["", "Doe^Jane", TRACEPARENT.replace("-", "_"), TRACEPARENT.upper()]
)
def test_invalid_traceparent_starts_a_new_trace(
    traced: TestClient, exporter: InMemorySpanExporter, header: str
) -> None:
    traced.get("/model", headers={"traceparent": header})

    server, _ = spans(exporter)
    assert server.parent is None


def test_only_internal_errors_mark_spans_as_failed(
    traced: TestClient,
    exporter: InMemorySpanExporter,
    mammogram_png: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Any other problem is named in `error.type`."""
    traced.post("/predict", files={"file": b"no image"})

    server, steps = spans(exporter)
    assert server.attributes is not None
    assert server.attributes["error.type"] == "unsupported-format"
    assert server.status.status_code is StatusCode.UNSET
    assert steps == []

    exporter.clear()
    monkeypatch.delattr(pipeline, "predict")
    traced.post("/predict", files={"file": mammogram_png})

    server, _ = spans(exporter)
    assert server.attributes is not None
    assert server.attributes["http.response.status_code"] == 500
    assert server.status.status_code is StatusCode.ERROR
    assert server.events == ()


@pytest.mark.parametrize("route", ["/livez", "/readyz", "/metrics"])
def test_probes_and_scrapes_are_not_traced(
    traced: TestClient, exporter: InMemorySpanExporter, route: str
) -> None:
    assert traced.get(route).status_code == 200

    assert exporter.get_finished_spans() == ()


def test_variables_of_the_sdk_name_the_service(
    resource_of: Callable[..., dict[str, object]],
) -> None:
    attributes = resource_of(
        OTEL_SERVICE_NAME="screening", OTEL_RESOURCE_ATTRIBUTES="deployment.environment=ward-3"
    )

    assert attributes["service.name"] == "screening"
    assert attributes["deployment.environment"] == "ward-3"
    assert attributes["service.version"] == __version__
    assert attributes["telemetry.sdk.name"] == "opentelemetry"


def test_service_has_a_name_of_its_own(resource_of: Callable[..., dict[str, object]]) -> None:
    assert resource_of()["service.name"] == "mammolens"
