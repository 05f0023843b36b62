"""Compare throughput and memory of one service and of several services on the same cores.

    python -m benchmarks.load.several [--image FILE] [--services 2] [--seconds 8] [--rounds 3]

Several services divide the cores between them, for TensorFlow and for their reader processes. One
service has all cores. Both set-ups are measured in turn.
"""

import argparse
import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile

import httpx

from benchmarks.load import ours
from benchmarks.load.generator import Stream, send
from benchmarks.load.servers import ROOT, Running, started
from service.host.cores import usable_cores

_CLIENTS = 16


def main() -> None:
    """Print the images a second and the memory of one service and of several."""
    options = _parser().parse_args()
    data = options.image.read_bytes()
    print(f"{usable_cores()} cores, {options.image.name} ({len(data) >> 10} KiB)")

    rates: dict[int, list[float]] = {1: [], options.services: []}
    with ExitStack() as stack:
        groups = {count: [_start(stack, count) for _ in range(count)] for count in rates}
        for _ in range(options.rounds):
            for count, group in groups.items():
                rates[count].append(_images_per_second(group, data, options.seconds))

        for count, group in groups.items():
            median = statistics.median(rates[count])
            memory = sum(running.pss_mebibytes() for running in group)
            print(f"{count}: {median:.1f} images/s, {memory:.0f} MiB (PSS)")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--image", type=Path, default=ROOT / "docs" / "sample.dcm", help="default: docs/sample.dcm"
    )
    parser.add_argument("--services", type=int, default=2, help="number of services (default 2)")
    parser.add_argument(
        "--seconds", type=float, default=8, help="length of each measurement (default 8)"
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="rounds; the median is printed (default 3)"
    )
    return parser


def _start(stack: ExitStack, services: int) -> Running:
    """Start one of `services` services with its share of the cores."""
    share = str(max(1, usable_cores() // services))
    settings = {"MAMMOLENS_READERS": share, "MAMMOLENS_THREADS": share} if services > 1 else {}

    server = replace(ours.SERVER, environment={**ours.SERVER.environment, **settings})
    return stack.enter_context(started(server, stack.enter_context(TemporaryFile())))


def _images_per_second(group: Sequence[Running], data: bytes, seconds: float) -> float:
    """Return the rate of all services together. The clients are divided between them."""

    def rate(running: Running) -> float:
        body = running.server.request(data)
        stream = Stream(body, clients=_CLIENTS // len(group), seconds=seconds)
        answers = send(running.port, {"closed": stream}).answers["closed"]

        elapsed = max(answer.due + answer.seconds for answer in answers)
        return sum(answer.status == httpx.codes.OK for answer in answers) / elapsed

    with ThreadPoolExecutor(len(group)) as pool:
        return sum(pool.map(rate, group))


if __name__ == "__main__":
    main()
