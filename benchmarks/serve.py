"""Measures the time from start to ready, and the cost of a heatmap over a prediction.

    python -m benchmarks.serve [IMAGE ...] [--bundle models/mine/1]

Everything is measured side by side in one run, so that ratios and differences are meaningful.
The processor time of further requests is less disturbed by other programs than their duration.
Without images, a phantom is used: 3328 x 2560 pixels, 12 bits, uncompressed and JPEG 2000.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx

from benchmarks.load.ours import SERVER
from benchmarks.load.servers import DEMO, descendants, started
from benchmarks.timing import measure, phantom_files


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", nargs="*", type=Path, help="files to post; default: phantoms")
    parser.add_argument(
        "--rounds", type=int, default=20, help="requests per route and image (default 20)"
    )
    parser.add_argument(
        "--starts", type=int, default=3, help="starts to measure; 0 for none (default 3)"
    )
    parser.add_argument(
        "--bundle", type=Path, default=DEMO, help="version directory (default: the demo)"
    )
    options = parser.parse_args()

    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}")
    if options.starts:
        _print_starts(options.starts, options.bundle)

    images = {path.name: path.read_bytes() for path in options.images} or phantom_files(
        ("explicit", "jpeg2000")
    )
    with running(options.bundle) as (client, process):
        for name, data in images.items():
            _print_requests(name, data, client, process, options.rounds)


def _print_requests(
    name: str, data: bytes, client: httpx.Client, process: int, rounds: int
) -> None:
    """Print the median duration and the mean processor time of requests to each route."""
    routes = {route: partial(post, client, route, data) for route in ("/predict", "/gradcam")}
    predict, gradcam = measure(routes, rounds).values()
    print(
        f"{name}: /predict {predict:.1f} ms, /gradcam JSON {gradcam:.1f} ms, "
        f"ratio {gradcam / predict:.2f}"
    )

    for route, request in routes.items():
        before = processor_seconds(process)
        for _ in range(rounds):
            request()
        spent = (processor_seconds(process) - before) / rounds
        print(f"{name}: {route} {spent * 1e3:.0f} ms of processor time")


def _print_starts(starts: int, bundle: Path) -> None:
    """Print the median times of importing TensorFlow and of starting the service."""
    imports = [seconds([sys.executable, "-c", "import tensorflow"]) for _ in range(starts)]

    readies = []
    for _ in range(starts):
        start = time.perf_counter()
        with running(bundle):
            readies.append(time.perf_counter() - start)

    imported = statistics.median(imports)
    ready = statistics.median(readies)
    print(
        f"import tensorflow {imported:.2f} s, start to ready {ready:.2f} s, "
        f"difference {ready - imported:.2f} s"
    )


def seconds(command: list[str]) -> float:
    """Run a command. Return its wall-clock time."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - this interpreter
    return time.perf_counter() - start


def processor_seconds(root: int) -> float:
    """Return the processor time that a process and its descendants have taken so far."""
    ticks = 0
    for process in descendants(root):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])  # in user and in system mode, see proc(5)
    return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(bundle: Path = DEMO) -> Iterator[tuple[httpx.Client, int]]:
    """Start a service of this bundle, and yield a client and its process ID when it is ready."""
    with (
        Path(os.devnull).open("wb") as log,
        started(SERVER, log, bundle.resolve()) as server,
        httpx.Client(base_url=server.address, timeout=60) as client,
    ):
        yield client, server.process.pid


@contextmanager
def service() -> Iterator[httpx.Client]:
    """Start the service of the demo, wait until it is ready, and yield a client of it."""
    with running() as (client, _):
        yield client


def post(client: httpx.Client, route: str, data: bytes) -> None:
    """Post one file and require a successful answer."""
    client.post(route, files={"file": data}).raise_for_status()


if __name__ == "__main__":
    main()
