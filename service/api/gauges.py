"""Gauges that are read off the engine at each scrape."""

import os
import platform
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service import __version__
from service.errors import Unavailable
from service.model import Model
from service.observability.audit import Audit
from service.runtime.engine import Engine


class Gauges(Collector):
    """Readiness, lost audit lines, build, served model, queues, bodies, and readers' memory."""

    def __init__(self, engine: Engine, audit: Audit | None) -> None:
        self._engine = engine
        self._audit = audit

    def collect(self) -> Iterator[Metric]:
        """Return all gauges with their present values."""
        model: Model | None = None
        with suppress(Unavailable):
            model = self._engine.require_model()

        is_ready = model is not None and not (self._audit and self._audit.is_failing)
        yield GaugeMetricFamily(
            "mammolens_ready", "1 when predictions can be answered.", value=is_ready
        )
        yield CounterMetricFamily(
            "mammolens_audit_lost",
            "Lines of the audit that could not be written.",
            value=0 if self._audit is None else self._audit.lost_lines,
        )
        yield _build()
        yield _model(model)
        yield from self._queues()
        yield self._reader_memory()

    def _queues(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily(
            "mammolens_queue_length", "Requests that wait for a slot.", labels=["lane"]
        )
        in_flight = GaugeMetricFamily(
            "mammolens_in_flight", "Requests that have a slot.", labels=["lane"]
        )
        for lane, queue in self._engine.lanes.items():
            waiting.add_metric([lane], queue.waiting)
            in_flight.add_metric([lane], queue.in_flight)

        yield from (waiting, in_flight)
        yield GaugeMetricFamily(
            "mammolens_body_bytes",
            "Bytes of request bodies in memory.",
            value=self._engine.bodies.held_bytes,
        )

    def _reader_memory(self) -> Metric:
        memory = GaugeMetricFamily(
            "mammolens_reader_resident_memory_bytes",
            "Memory of each reader process.",
            labels=["reader"],
        )
        for number, pid in enumerate(self._engine.reader_pids):
            memory.add_metric([str(number)], _resident_bytes(pid))

        return memory


def _build() -> Metric:
    build = GaugeMetricFamily(
        "mammolens_build_info", "Version of the service; always 1.", labels=["version", "python"]
    )
    build.add_metric([__version__, platform.python_version()], 1)
    return build


def _model(model: Model | None) -> Metric:
    info = GaugeMetricFamily(
        "mammolens_model_info",
        "The served model; always 1.",
        labels=["model", "version", "digest"],
    )
    if model is not None:
        manifest = model.manifest
        info.add_metric([manifest.name, str(manifest.version), model.digest], 1)

    return info


def _resident_bytes(pid: int) -> int:
    """Return the resident memory of a process, 0 once it has ended: see proc_pid_statm(5)."""
    with suppress(FileNotFoundError, ProcessLookupError):
        pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0
