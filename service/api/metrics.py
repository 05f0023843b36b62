"""What is counted: requests by route and status, times, scores and warnings, never anything that names an image."""

from collections.abc import Iterable

from fastapi import Request
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.registry import Collector

from service.api.inference import Inference
from service.results import Caution
from service.stopwatch import Stopwatch

CONTENT_TYPE = "text/plain"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 60.0)
_TENTHS = tuple(step / 10 for step in range(1, 11))
_IMAGES = (1, 2, 3, 4, 6, 8, 12, 16, 32, 64)


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
            "mammolens_probability",
            "Probability of the positive class.",
            ["model", "version"],
            registry=self._registry,
            buckets=_TENTHS,
        )
        self.waits = Histogram(
            "mammolens_queue_wait_seconds",
            "Time until a place was free.",
            ["lane"],
            registry=self._registry,
            buckets=_SECONDS,
        )
        self.refused = Counter(
            "mammolens_refused", "Requests refused at the door.", ["lane", "reason"], registry=self._registry
        )
        self.abandoned = Counter(
            "mammolens_abandoned", "Requests whose callers left.", ["lane"], registry=self._registry
        )
        self.batches = Histogram(
            "mammolens_batch_size",
            "Images given to the model at a time.",
            ["signature"],
            registry=self._registry,
            buckets=_IMAGES,
        )
        self.cautions = Counter(
            "mammolens_warnings", "Warnings given.", ["code", "model", "version"], registry=self._registry
        )
        ProcessCollector(registry=self._registry)

    def register(self, collector: Collector) -> None:
        """Exposes what that collector collects, too."""
        self._registry.register(collector)

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
    inference: Inference = request.scope["inference"]
    inference.laps = watch.laps
    model = (inference.model.manifest.name, str(inference.model.manifest.version))
    for step, milliseconds in watch.milliseconds.items():
        metrics.steps.labels(step).observe(milliseconds / 1e3)
    for caution in cautions:
        metrics.cautions.labels(caution.code, *model).inc()
    if probability is not None:
        metrics.probability.labels(*model).observe(probability)
