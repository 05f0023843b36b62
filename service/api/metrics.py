"""What is counted, and one log line per request: route, status and times, never anything of an image."""

import logging
import time
import uuid
from collections.abc import Iterable

from fastapi import Request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.results import Caution
from service.stopwatch import Stopwatch

CONTENT_TYPE = "text/plain"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_TENTHS = tuple(step / 10 for step in range(1, 11))
_IMAGES = (1, 2, 3, 4, 6, 8, 12, 16, 32, 64)
_log = logging.getLogger("mammolens.access")


class Metrics:
    """The counters of one app."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "mammolens_requests", "Requests answered.", ["route", "status"], registry=self._registry
        )
        self.seconds = Histogram(
            "mammolens_request_seconds", "Time to answer.", ["route"], registry=self._registry, buckets=_SECONDS
        )
        self.steps = Histogram(
            "mammolens_step_seconds", "Time of each step.", ["step"], registry=self._registry, buckets=_SECONDS
        )
        self.probability = Histogram(
            "mammolens_probability", "Probability of the positive class.", registry=self._registry, buckets=_TENTHS
        )
        self.batches = Histogram(
            "mammolens_batch_size",
            "Images given to the model at a time.",
            ["signature"],
            registry=self._registry,
            buckets=_IMAGES,
        )
        self.cautions = Counter("mammolens_warnings", "Warnings given.", ["code"], registry=self._registry)

    def count_batch(self, signature: str, images: int) -> None:
        """Counts one run of the model."""
        self.batches.labels(signature).observe(images)

    def expose(self) -> bytes:
        """All of them in the Prometheus text format."""
        return generate_latest(self._registry)


def get_metrics(request: Request) -> Metrics:
    """The counters of the app that got this request."""
    metrics: Metrics = request.app.state.metrics
    return metrics


def observe(request: Request, watch: Stopwatch, cautions: Iterable[Caution], probability: float | None = None) -> None:
    """Counts what was found on one image."""
    metrics = get_metrics(request)
    for step, milliseconds in watch.milliseconds.items():
        metrics.steps.labels(step).observe(milliseconds / 1e3)
    for caution in cautions:
        metrics.cautions.labels(caution.code).inc()
    if probability is not None:
        metrics.probability.observe(probability)


class ObserveRequests:
    """Gives every request an ID, counts it and logs it; the route's template is told, never the path that was sent."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500  # an exception that passes through is answered outside of here
        scope["request_id"] = uuid.uuid4().hex

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", scope["request_id"].encode())]
            await send(message)

        try:
            await self._app(scope, receive, tell)
        finally:
            self._tell(scope, status, time.perf_counter() - start)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        self._metrics.requests.labels(route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        line = "%s %s %s %d %.1f ms %s"
        method = scope["method"] if scope["method"] in {"GET", "POST", "HEAD", "OPTIONS"} else "other"
        _log.info(line, scope["request_id"], method, route, status, seconds * 1e3, scope.get("problem", "-"))
