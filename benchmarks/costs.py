"""Measures the seconds and the memory of explanations, over HTTP, and the parts of a start.

    python -m benchmarks.costs [IMAGE] [--bundle models/mine/1]

One service answers all requests in turn, with a deadline that none of them reaches. Memory is the
proportional set size of the service and its reader processes: before a request, at most during it,
and five seconds after it. Without an image, a phantom of 3328 x 2560 pixels is used.
"""

import argparse
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx

from benchmarks.load.ours import SERVER
from benchmarks.load.servers import DEMO, Running, started
from benchmarks.serve import post
from benchmarks.timing import measure, phantom_files

ROUTES = (
    "/predict",
    "/gradcam",
    "/gradcam?diagnostics=full",
    "/gradcam?method=smooth-grad",
    "/gradcam?method=occlusion",
    "/gradcam?method=integrated-gradients",
)
DEADLINE_SECONDS = 3600
SAMPLE_SECONDS = 0.05
SETTLE_SECONDS = 5


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("image", nargs="?", type=Path, help="file to post (default: a phantom)")
    parser.add_argument(
        "--bundle", type=Path, default=DEMO, help="version directory (default: the demo)"
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="requests to each route in turn (default 3)"
    )
    options = parser.parse_args()
    data = options.image.read_bytes() if options.image else phantom_files(["jpeg2000"])["jpeg2000"]

    deadline = {"MAMMOLENS_DEADLINE_SECONDS": str(DEADLINE_SECONDS)}
    server = replace(SERVER, environment={**SERVER.environment, **deadline})
    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}")
    with (
        tempfile.TemporaryFile() as log,
        started(server, log, options.bundle.resolve()) as running,
        httpx.Client(base_url=running.address, timeout=DEADLINE_SECONDS) as client,
    ):
        print(f"start to ready {running.ready_seconds:.1f} s")
        log.seek(0)
        messages = [json.loads(line)["message"] for line in log if line.startswith(b"{")]
        print(*(message for message in messages if message.startswith("loaded: ")), sep="\n")

        print("| request | seconds | before | at most | after |\n|---|---|---|---|---|")
        for route in ROUTES:
            _print_route(running, client, route, data, options.rounds)


def _print_route(
    running: Running, client: httpx.Client, route: str, data: bytes, rounds: int
) -> None:
    """Print the median duration of requests to a route, and the memory that they take."""
    before = running.pss_mebibytes()
    request = partial(post, client, route, data)
    with _highest(running.pss_mebibytes) as samples:
        milliseconds = measure({route: request}, rounds)[route]

    time.sleep(SETTLE_SECONDS)
    after = running.pss_mebibytes()
    print(
        f"| `{route}` | {milliseconds / 1e3:.2f} | {before:.0f} MiB | "
        f"{max(samples):.0f} MiB | {after:.0f} MiB |",
        flush=True,
    )


@contextmanager
def _highest(read: Callable[[], float]) -> Iterator[list[float]]:
    """Sample a value in another thread while the block runs, and collect the samples."""
    samples = [read()]
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            samples.append(read())

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        ended.set()
        thread.join()


if __name__ == "__main__":
    main()
