"""What is read off the service each time its metrics are asked for, rather than counted as it happens."""

import os
import platform
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service import __version__
from service.api.engine import Engine
from service.errors import Unavailable
from service.model import Model


class Gauges(Collector):
    """Readiness, what runs, the model that answers, and the memory of the processes that read files."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        """All of them as they are now."""
        model: Model | None = None
        with suppress(Unavailable):
            model = self._engine.require_model()
        yield GaugeMetricFamily("mammolens_ready", "1 when predictions can be answered.", value=model is not None)
        build = GaugeMetricFamily("mammolens_build_info", "What runs; always 1.", labels=["version", "python"])
        build.add_metric([__version__, platform.python_version()], 1)
        yield build
        info = GaugeMetricFamily(
            "mammolens_model_info", "The model that answers; always 1.", labels=["model", "version", "digest"]
        )
        if model is not None:
            info.add_metric([model.manifest.name, str(model.manifest.version), model.digest], 1)
        yield info
        waiting = GaugeMetricFamily("mammolens_queue_length", "Requests that wait for a place.", labels=["lane"])
        in_flight = GaugeMetricFamily("mammolens_in_flight", "Requests that have a place.", labels=["lane"])
        for lane, admission in self._engine.lanes.items():
            waiting.add_metric([lane], admission.waiting)
            in_flight.add_metric([lane], admission.in_flight)
        yield from (waiting, in_flight)
        memory = GaugeMetricFamily(
            "mammolens_reader_resident_memory_bytes", "Memory of each process that reads files.", labels=["reader"]
        )
        for number, pid in enumerate(self._engine.reader_pids):
            memory.add_metric([str(number)], _resident_bytes(pid))
        yield memory


def _resident_bytes(pid: int) -> int:
    """The resident memory of that process, 0 once it has ended: see proc_pid_statm(5)."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0
