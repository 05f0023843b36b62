"""The service under load with either engine.

    python -m benchmarks.engine_load BUNDLE [BUNDLE ...] [--rounds 3] [--seconds 8]

A bundle is a version directory with graphs: see `python -m training onnx`. A service of each engine
runs, and they get the load in turn: eight clients send a small phantom to /predict or /gradcam,
each when it has its last answer. Told are medians over the rounds: answers a second, processor time
of an answer, the 50th and 95th percentile of its time, and at the end the memory.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path

import numpy as np

from benchmarks.load.generator import Stream, request, send
from benchmarks.load.ours import SERVER
from benchmarks.load.servers import Running, Server, started
from benchmarks.serve import processor_seconds
from benchmarks.timing import phantom_files

_ENGINES = {"TensorFlow": "tensorflow", "onnxruntime": "onnx"}
_ROUTES = ("/predict", "/gradcam")
_CLIENTS = 8
_WARM_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class LoadedService:
    """Figures of a service under load: answers a second, and milliseconds of an answer."""

    rate: float
    processor: float
    p50: float
    p95: float


def main() -> int:
    """Print a table for each bundle. Return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8, help="of load, for each figure")
    options = parser.parse_args()

    (image,) = phantom_files(["explicit"], 640, 512).values()
    for bundle in options.bundle:
        sys.stdout.write(f"\n{bundle.parent.name}\n\n")
        _compare(bundle.resolve(), image, options.rounds, options.seconds)
    return 0


def _compare(bundle: Path, image: bytes, rounds: int, seconds: float) -> None:
    """Print the table of one bundle."""
    with ExitStack() as stack:
        log = stack.enter_context(tempfile.TemporaryFile())
        services = {
            name: stack.enter_context(started(_server(engine), log, bundle))
            for name, engine in _ENGINES.items()
        }
        for running in services.values():
            for route in _ROUTES:
                _load(running, route, image, _WARM_SECONDS)

        sys.stdout.write("| route | engine | answers/s | ms of a core | p50 ms | p95 ms |\n")
        sys.stdout.write("|---|---|---|---|---|---|\n")
        for route in _ROUTES:
            measured: dict[str, list[LoadedService]] = {name: [] for name in services}
            for _ in range(rounds):
                for name, running in services.items():
                    measured[name].append(_load(running, route, image, seconds))
            for name, figures in measured.items():
                sys.stdout.write(f"| `{route}` | {name} | {_cells(figures)} |\n")

        for name, running in services.items():
            ready = running.ready_seconds
            memory = running.pss_mebibytes()
            sys.stdout.write(f"{name}: ready after {ready:.1f} s, {memory:.0f} MiB at the end\n")


def _server(engine: str) -> Server:
    return replace(SERVER, environment={**SERVER.environment, "MAMMOLENS_ENGINE": engine})


def _load(running: Running, route: str, image: bytes, seconds: float) -> LoadedService:
    """Keep the service busy, and return its figures.

    Raises:
        RuntimeError: it refuses a request.
    """
    stream = Stream(request(route, image, "application/dicom"), clients=_CLIENTS, seconds=seconds)
    before = processor_seconds(running.process.pid)
    answers = send(running.port, {"load": stream}).answers["load"]
    spent = processor_seconds(running.process.pid) - before

    failed = {answer.status for answer in answers} - {HTTPStatus.OK}
    if failed or not answers:
        raise RuntimeError(f"the service answers {sorted(failed)}")
    elapsed = max(answer.due + answer.seconds for answer in answers)
    p50, p95 = np.quantile([1e3 * answer.seconds for answer in answers], [0.5, 0.95])
    return LoadedService(len(answers) / elapsed, 1e3 * spent / len(answers), float(p50), float(p95))


def _cells(figures: Sequence[LoadedService]) -> str:
    """Return the medians as cells of a table."""
    names = ("rate", "processor", "p50", "p95")
    medians = [statistics.median(getattr(one, name) for one in figures) for name in names]
    return f"{medians[0]:.1f} | " + " | ".join(f"{value:.0f}" for value in medians[1:])


if __name__ == "__main__":
    sys.exit(main())
