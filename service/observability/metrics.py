"""Prometheus metrics: requests by route and status, times, probabilities and warnings.

Nothing names an image.
"""

from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.registry import Collector

from service.observability.stopwatch import Stopwatch

CONTENT_TYPE = "text/plain"

_SECONDS = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 60.0,
)  # fmt: skip
_TENTHS = tuple(step / 10 for step in range(1, 11))
_IMAGES = (1, 2, 3, 4, 6, 8, 12, 16, 32, 64)


class Metrics:
    """The metrics of one application. Implements `service.runtime.observer.EngineObserver`."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()

        # Requests
        self._requests = self._counter(
            "mammolens_requests", "Requests answered.", "route", "status"
        )
        self._request_seconds = self._histogram(
            "mammolens_request_seconds", "Time to answer.", _SECONDS, "route"
        )

        # Images
        self._step_seconds = self._histogram(
            "mammolens_step_seconds", "Time of each step.", _SECONDS, "step"
        )
        self._probability = self._histogram(
            "mammolens_probability",
            "Probability of the positive class.",
            _TENTHS,
            "model",
            "version",
        )
        self._warnings = self._counter(
            "mammolens_warnings", "Warnings given.", "code", "model", "version"
        )

        # Admission and batching
        self._waits = self._histogram(
            "mammolens_queue_wait_seconds", "Time until a slot was free.", _SECONDS, "lane"
        )
        self._rejected = self._counter("mammolens_refused", "Requests rejected.", "lane", "reason")
        self._abandoned = self._counter(
            "mammolens_abandoned", "Requests whose clients disconnected.", "lane"
        )
        self._batches = self._histogram(
            "mammolens_batch_size", "Images in one call of the model.", _IMAGES, "signature"
        )

        # Readers
        self._readers_lost = self._counter(
            "mammolens_readers_lost", "Reader processes that were replaced.", "reason"
        )
        for reason in ("signal", "timeout", "fault"):
            self._readers_lost.labels(reason)

        ProcessCollector(registry=self._registry)

    def register(self, collector: Collector) -> None:
        """Expose the metrics of another collector as well."""
        self._registry.register(collector)

    def expose(self) -> bytes:
        """Return all metrics in the Prometheus text format."""
        return generate_latest(self._registry)

    def request_answered(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def image_answered(
        self,
        model: tuple[str, int],
        timer: Stopwatch,
        warning_codes: Iterable[str],
        probability: float | None,
    ) -> None:
        """Count the steps, warnings and, if there is a prediction, the probability of one image.

        `model`: name and version.
        """
        name, version = model
        for step, milliseconds in timer.milliseconds.items():
            self._step_seconds.labels(step).observe(milliseconds / 1e3)

        for code in warning_codes:
            self._warnings.labels(code, name, str(version)).inc()

        if probability is not None:
            self._probability.labels(name, str(version)).observe(probability)

    def slot_taken(self, lane: str, waited_seconds: float) -> None:
        """Count one request that got its slot."""
        self._waits.labels(lane).observe(waited_seconds)

    def request_rejected(self, lane: str, reason: str) -> None:
        """Count one request that was rejected on arrival."""
        self._rejected.labels(lane, reason).inc()

    def request_abandoned(self, lane: str) -> None:
        """Count one request whose client disconnected."""
        self._abandoned.labels(lane).inc()

    def batch_started(self, signature: str, images: int) -> None:
        """Count one call of the model."""
        self._batches.labels(signature).observe(images)

    def reader_lost(self, reason: str) -> None:
        """Count one reader process that was replaced."""
        self._readers_lost.labels(reason).inc()

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self._registry)

    def _histogram(
        self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(name, meaning, labels, registry=self._registry, buckets=buckets)
