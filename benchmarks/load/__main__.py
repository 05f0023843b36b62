"""Measures the service under load, beside the plain loop on the same cores and beside other model servers.

    python -m benchmarks.load [--servers mammolens mosec] [--bundle DIR] [--image FILE] [--seconds 6]

The tables go to standard output, load.json and goodput.png to build/load, progress to standard error, what the servers
say to build/load/NAME.log. The load comes from a process of its own on the same cores; what that takes is told.
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
from benchmarks.load.report import Measured, Report
from benchmarks.load.servers import DEMO, ROOT, Running, Server, started
from service import pipeline
from service.host.cores import usable_cores
from service.imaging import read
from service.model import Bundle
from service.observability.stopwatch import Stopwatch

OUT = ROOT / "build" / "load"
SERVERS = {ours.SERVER.name: ours.SERVER} | PEERS
_FAILURES = RuntimeError, ConnectionError, TimeoutError, subprocess.CalledProcessError
_TOLERANCE = 1e-3  # of probabilities: batches of other sizes round otherwise


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--image", type=Path, default=ROOT / "docs" / "sample.dcm", help="default: docs/sample.dcm"
    )
    parser.add_argument(
        "--bundle", type=Path, default=DEMO, help="default: models/demo/1; see benchmarks.backbone"
    )
    parser.add_argument("--seconds", type=float, default=6, help="of each measurement (default 6)")
    parser.add_argument(
        "--servers", nargs="+", choices=SERVERS, default=list(SERVERS), help="default: all"
    )
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    image, data, bundle = (
        options.image.resolve(),
        options.image.read_bytes(),
        options.bundle.resolve(),
    )
    _say("plain loops")
    found = ceiling(bundle, image, options.seconds)
    expected = pipeline.predict(Bundle.load(bundle), read, data, Stopwatch()).probabilities
    overhead, servers, failures = None, [], {}
    for name in options.servers:
        try:
            if name in PEERS:
                _say(f"{name}: install")
                install(name)
            with (
                (OUT / f"{name}.log").open("wb") as log,
                started(SERVERS[name], log, bundle) as running,
            ):
                _check(running.ask(data), expected)
                if name == ours.SERVER.name:
                    _say(f"{name}: overhead over the plain call")
                    overhead = overhead_milliseconds(running, bundle, data)
                servers.append(_measure(running, data, options.seconds))
        except (*_FAILURES, HTTPException, httpx.HTTPError) as error:
            failures[name] = str(error)
            _say(f"{name}: {error}")
    machine = f"{usable_cores()} cores, {time.strftime('%Y-%m-%d')}"
    given = f"{bundle.parent.name}, {image.name} ({len(data) >> 10} KiB)"
    complete = Report(machine, given, found, overhead, servers, failures)
    report.write(complete, OUT)
    print(report.markdown(complete))
    if failures:
        sys.exit(1)


def _measure(running: Running, data: bytes, seconds: float) -> Measured:
    server: Server = running.server
    _say(f"{server.name}: capacity")
    best = measures.capacity(running, data, seconds)
    pss = running.pss_mebibytes()
    goodputs = []
    for times in measures.LOADS:
        _say(f"{server.name}: {times:g} times {best.per_second:.1f}/s")
        goodputs.append(measures.goodput(running, data, times, best.per_second, seconds))
    _say(f"{server.name}: clients that leave")
    left, computed = measures.computed_for_leavers(running, data, best.per_second)
    return Measured(server.name, running.ready_seconds, pss, best, goodputs, left, computed)


def _check(found: Mapping[str, float], expected: Mapping[str, float]) -> None:
    """Makes sure that a server computes what the plain call does.

    Raises:
        RuntimeError: it does not.
    """
    if found.keys() != expected.keys() or not np.allclose(
        list(found.values()), list(expected.values()), atol=_TOLERANCE
    ):
        raise RuntimeError("it answers other probabilities than the plain call")


_START = time.monotonic()


def _say(what: str) -> None:
    print(f"{time.monotonic() - _START:4.0f} s  {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
