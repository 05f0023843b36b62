"""Measure the service under load, beside a plain loop and beside other model servers.

    python -m benchmarks.load [--servers mammolens mosec] [--bundle DIR] [--image FILE]
                              [--seconds 6]

Tables go to standard output and progress to standard error. load.json, goodput.png and the log of
each server, NAME.log, go to build/load. The load generator is a separate process on the same cores.
The last column of the second table shows its share of a core.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path

import httpx
import numpy as np

from benchmarks.load import measures, ours, report
from benchmarks.load.ceiling import ceiling, overhead_milliseconds
from benchmarks.load.peers.starts import PEERS, install
from benchmarks.load.report import Report, ServerFigures
from benchmarks.load.servers import DEMO, ROOT, Running, started
from service import pipeline
from service.host.cores import usable_cores
from service.imaging import read
from service.model import Bundle
from service.observability.stopwatch import Stopwatch

OUT = ROOT / "build" / "load"
SERVERS = {ours.SERVER.name: ours.SERVER} | PEERS
_FAILURES = (
    RuntimeError,
    ConnectionError,
    TimeoutError,
    subprocess.CalledProcessError,
    HTTPException,
    httpx.HTTPError,
)
_TOLERANCE = 1e-3  # of probabilities: batches of different sizes round differently


def main() -> None:
    """Run the benchmark and print its tables. Exit with 1 if a server could not be measured."""
    options = _parser().parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    image = options.image.resolve()
    data = options.image.read_bytes()
    bundle = options.bundle.resolve()

    _log("plain loops")
    limit = ceiling(bundle, image, options.seconds)
    expected = pipeline.predict(Bundle.load(bundle), read, data, Stopwatch()).probabilities

    overhead = None
    servers = []
    failures = {}
    for name in options.servers:
        try:
            if name in PEERS:
                _log(f"{name}: install")
                install(name)

            with (
                (OUT / f"{name}.log").open("wb") as log,
                started(SERVERS[name], log, bundle) as running,
            ):
                _check(running.predict(data), expected)
                if name == ours.SERVER.name:
                    _log(f"{name}: overhead over the plain call")
                    overhead = overhead_milliseconds(running, bundle, data)
                servers.append(_measure(running, data, options.seconds))
        except _FAILURES as error:
            failures[name] = str(error)
            _log(f"{name}: {error}")

    machine = f"{usable_cores()} cores, {time.strftime('%Y-%m-%d')}"
    inputs = f"{bundle.parent.name}, {image.name} ({len(data) >> 10} KiB)"
    complete = Report(machine, inputs, limit, overhead, servers, failures)
    report.write(complete, OUT)
    print(report.markdown(complete))
    if failures:
        sys.exit(1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--image", type=Path, default=ROOT / "docs" / "sample.dcm", help="default: docs/sample.dcm"
    )
    parser.add_argument(
        "--bundle", type=Path, default=DEMO, help="default: models/demo/1; see benchmarks.backbone"
    )
    parser.add_argument(
        "--seconds", type=float, default=6, help="length of each measurement (default 6)"
    )
    parser.add_argument(
        "--servers", nargs="+", choices=SERVERS, default=list(SERVERS), help="default: all"
    )
    return parser


def _measure(running: Running, data: bytes, seconds: float) -> ServerFigures:
    name = running.server.name
    _log(f"{name}: capacity")
    best = measures.capacity(running, data, seconds)
    pss = running.pss_mebibytes()

    goodputs = []
    for times in measures.LOADS:
        _log(f"{name}: {times:g} times {best.per_second:.1f}/s")
        goodputs.append(measures.goodput(running, data, times, best.per_second, seconds))

    _log(f"{name}: clients that disconnect")
    left, computed = measures.computed_for_leavers(running, data, best.per_second)
    return ServerFigures(name, running.ready_seconds, pss, best, goodputs, left, computed)


def _check(probabilities: Mapping[str, float], expected: Mapping[str, float]) -> None:
    """Compare the probabilities of a server with those of the plain call.

    Raises:
        RuntimeError: they differ.
    """
    if probabilities.keys() != expected.keys() or not np.allclose(
        list(probabilities.values()), list(expected.values()), atol=_TOLERANCE
    ):
        raise RuntimeError("its probabilities differ from those of the plain call")


_START = time.monotonic()


def _log(step: str) -> None:
    print(f"{time.monotonic() - _START:4.0f} s  {step}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
