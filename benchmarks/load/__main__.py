"""Measures a running service under load, beside what the same cores do in a plain loop.

    python -m benchmarks.load [--image FILE] [--seconds 10]

The load is open: requests are sent when they are due, whatever has become of those before, and each latency counts
from the time at which the request was due (a generator that waits for answers hides the wait: coordinated omission).
It comes from a process of its own, on the same cores; what that takes is told.
"""

import argparse
import asyncio
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvloop

from benchmarks.serve import ROOT, service
from benchmarks.timing import measure
from service import pipeline
from service.imaging import read
from service.model import Bundle
from service.stopwatch import Stopwatch

BUNDLE = ROOT / "models" / "demo" / "1"
DEADLINE_SECONDS = 1.0
_PROBES_PER_SECOND = 20
_WARM_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Load:
    """How requests ended: (status, seconds since it was due) each; the probe's; the generator's share of a core."""

    predictions: Sequence[tuple[int, float]]
    probes: Sequence[tuple[int, float]]
    own_share: float

    def good(self) -> int:
        """How many were answered with a prediction before their deadline."""
        return sum(status == httpx.codes.OK and seconds <= DEADLINE_SECONDS for status, seconds in self.predictions)


def drive(port: int, data: bytes, per_second: float, seconds: float) -> Load:
    """What becomes of requests that are due at random times at that rate."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_generate, (port, data, per_second, seconds))


def _generate(port: int, data: bytes, per_second: float, seconds: float) -> Load:
    return uvloop.run(_send_all(port, data, per_second, seconds))


async def _send_all(port: int, data: bytes, per_second: float, seconds: float) -> Load:
    predict = _Sender(port, f"{_head(data)}Request-Timeout: {DEADLINE_SECONDS:g}\r\n\r\n".encode() + data)
    probe = _Sender(port, b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
    chance = random.Random(1)  # noqa: S311 - times of requests
    gaps = [chance.expovariate(per_second) for _ in range(int(per_second * seconds))]
    steady = [1 / _PROBES_PER_SECOND] * int(seconds * _PROBES_PER_SECOND)
    start, spent = time.perf_counter(), time.process_time()
    found, probed = await asyncio.gather(_at_times(predict, gaps), _at_times(probe, steady))
    return Load(found, probed, (time.process_time() - spent) / (time.perf_counter() - start))


def _head(data: bytes) -> str:
    length = f"Content-Length: {len(data)}\r\n"
    return f"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/dicom\r\n{length}"


async def _at_times(sender: "_Sender", gaps: Sequence[float]) -> list[tuple[int, float]]:
    due, sent = time.perf_counter(), []
    for gap in gaps:
        due += gap
        await asyncio.sleep(max(0, due - time.perf_counter()))
        sent.append(asyncio.create_task(sender.send(due)))
    return list(await asyncio.gather(*sent))


class _Sender:
    """One request, sent over as many connections as it takes."""

    def __init__(self, port: int, request: bytes) -> None:
        self._port = port
        self._request = request
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, due: float) -> tuple[int, float]:
        """Its status, 0 where there was none, and the seconds since it was due."""
        try:
            reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(self._request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError):
            return 0, time.perf_counter() - due
        seconds = time.perf_counter() - due
        if b"connection: close" in head:
            writer.close()
        else:
            await writer.drain()
            self._idle.append((reader, writer))
        return int(head.split(b" ", 2)[1]), seconds


def capacity(port: int, data: bytes, seconds: float, at_once: int) -> tuple[float, list[float]]:
    """Predictions a second with so many always in flight, and their latencies."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_saturate, (port, data, seconds, at_once))


def _saturate(port: int, data: bytes, seconds: float, at_once: int) -> tuple[float, list[float]]:
    async def ask(sender: _Sender, end: float, latencies: list[float]) -> None:
        while time.perf_counter() < end:
            status, taken = await sender.send(time.perf_counter())
            if status == httpx.codes.OK:
                latencies.append(taken)

    async def run() -> tuple[float, list[float]]:
        sender = _Sender(port, f"{_head(data)}\r\n".encode() + data)
        latencies: list[float] = []
        start = time.perf_counter()
        await asyncio.gather(*(ask(sender, start + seconds, latencies) for _ in range(at_once)))
        return len(latencies) / (time.perf_counter() - start), latencies

    return uvloop.run(run())


def loop(path: str, seconds: float, threads: int) -> float:
    """Predictions a second of the plain loop: read, predict, and nothing else."""
    bundle, data = Bundle.load(BUNDLE, threads), Path(path).read_bytes()
    pipeline.warm(bundle, 1)
    for length in (_WARM_SECONDS, seconds):
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < length:
            pipeline.predict(bundle, read, data, Stopwatch())
            count += 1
    return count / (time.perf_counter() - start)


def ceilings(path: Path, seconds: float) -> tuple[float, float]:
    """Predictions a second of one loop on all cores, and of a loop for each core."""
    cores = len(os.sched_getaffinity(0))
    found = []
    for loops, threads in ((1, cores), (cores, 1)):
        command = [sys.executable, "-m", "benchmarks.load", "--image", str(path), "--seconds", str(seconds)]
        command += ["--loop", str(threads)]
        processes = [
            subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603 - our own
            for _ in range(loops)
        ]
        found.append(sum(float(process.communicate()[0]) for process in processes))
    return found[0], found[1]


def percentile(values: Sequence[float], share: float) -> float:
    """In milliseconds; not a number where there is no value."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3 if ordered else float("nan")


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", type=Path, default=ROOT / "docs" / "sample.dcm", help="default: docs/sample.dcm")
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement (default 10)")
    parser.add_argument("--loop", type=int, metavar="THREADS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.loop:
        print(loop(str(options.image), options.seconds, options.loop))
        return
    data = options.image.read_bytes()
    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}, {options.image.name}, {len(data) >> 10} KiB\n")
    single, several = ceilings(options.image, options.seconds)
    with service() as client:
        port = int(str(client.base_url).rpartition(":")[2].strip("/"))
        _report_overhead(client, data)
        capacity(port, data, _WARM_SECONDS, 16)
        rate, latencies = capacity(port, data, options.seconds, 16)
        again = max(ceilings(options.image, options.seconds))
        print(f"plain loop {single:.1f}/s, one for each core {several:.1f}/s, the larger afterwards {again:.1f}/s")
        print(f"service, 16 in flight: {rate:.1f}/s, {rate / max(single, several, again):.2f} of the ceiling, "
              f"p50 {percentile(latencies, 0.5):.0f} ms, p99 {percentile(latencies, 0.99):.0f} ms\n")  # fmt: skip
        print("| offered, times capacity | per second | goodput within 1 s | of capacity | refused | late or cut "
              "| p50 of the good | /livez p99 | generator |\n|---|---|---|---|---|---|---|---|---|")  # fmt: skip
        for times in (0.5, 1, 2, 4):
            _report_load(drive(port, data, times * rate, options.seconds), times, rate, options.seconds)


def _report_overhead(client: httpx.Client, data: bytes) -> None:
    bundle = Bundle.load(BUNDLE)
    pipeline.warm(bundle, 1)
    headers = {"content-type": "application/dicom"}
    ways = {
        "service": lambda: client.post("/predict", content=data, headers=headers).raise_for_status(),
        "plain": lambda: pipeline.predict(bundle, read, data, Stopwatch()),
    }
    measure(ways, 10)
    asked, plain = measure(ways, 100).values()
    print(
        f"/predict {asked:.1f} ms, plain call {plain:.1f} ms, overhead {asked - plain:.1f} ms (medians of 100, in turn)"
    )


def _report_load(load: Load, times: float, rate: float, seconds: float) -> None:
    good = load.good() / seconds
    refused = sum(status == httpx.codes.TOO_MANY_REQUESTS for status, _ in load.predictions)
    other = len(load.predictions) - load.good() - refused
    taken = [each for status, each in load.predictions if status == httpx.codes.OK]
    median = statistics.median(taken) * 1e3 if taken else float("nan")
    alive = percentile([each for _, each in load.probes], 0.99)
    print(f"| {times} | {times * rate:.0f} | {good:.1f} | {good / rate:.2f} | {refused} | {other} | {median:.0f} ms "
          f"| {alive:.0f} ms | {load.own_share:.0%} of a core |")  # fmt: skip


if __name__ == "__main__":
    main()
