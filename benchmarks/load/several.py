"""What several services on the same cores gain over one that has them all, and what they cost.

    python -m benchmarks.load.several [--image FILE] [--services 2] [--seconds 8] [--rounds 3]

Each of the several has its share of the cores for TensorFlow and for its readers. They are measured in turn.
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
    """Prints images a second and memory of both ways."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--image", type=Path, default=ROOT / "docs" / "sample.dcm", help="default: docs/sample.dcm"
    )
    parser.add_argument("--services", type=int, default=2, help="how many (default 2)")
    parser.add_argument("--seconds", type=float, default=8, help="of each measurement (default 8)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="of which the median counts (default 3)"
    )
    options = parser.parse_args()
    data = options.image.read_bytes()
    print(f"{usable_cores()} cores, {options.image.name} ({len(data) >> 10} KiB)")
    found: dict[int, list[float]] = {1: [], options.services: []}
    with ExitStack() as stack:
        running = {
            services: [_start(stack, services) for _ in range(services)] for services in found
        }
        for _ in range(options.rounds):
            for services, rates in found.items():
                rates.append(_images_per_second(running[services], data, options.seconds))
        for services, rates in found.items():
            memory = sum(each.pss_mebibytes() for each in running[services])
            print(f"{services}: {statistics.median(rates):.1f} images/s, {memory:.0f} MiB (PSS)")


def _start(stack: ExitStack, services: int) -> Running:
    share = str(max(1, usable_cores() // services))
    settings = {"MAMMOLENS_READERS": share, "MAMMOLENS_THREADS": share} if services > 1 else {}
    server = replace(ours.SERVER, environment={**ours.SERVER.environment, **settings})
    return stack.enter_context(started(server, stack.enter_context(TemporaryFile())))


def _images_per_second(running: Sequence[Running], data: bytes, seconds: float) -> float:
    """Of all together, each asked by its share of the clients."""

    def ask(each: Running) -> float:
        stream = Stream(
            each.server.request(data), clients=_CLIENTS // len(running), seconds=seconds
        )
        answers = send(each.port, {"closed": stream}).answers["closed"]
        took = max(answer.due + answer.seconds for answer in answers)
        return sum(answer.status == httpx.codes.OK for answer in answers) / took

    with ThreadPoolExecutor(len(running)) as pool:
        return sum(pool.map(ask, running))


if __name__ == "__main__":
    main()
