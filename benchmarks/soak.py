"""Puts a running service under mixed and hostile traffic, and accounts for every request.

    python -m benchmarks.soak [--requests 3000] [--model models/demo]

The traffic: requests to all routes, damaged files, files that are not images, clients that leave,
slow clients, floods, swaps of the model and killed reader processes. At the end, SIGTERM is sent
under load.

Unless its client has left, every request must get a documented status. No error may be logged.
Memory must not grow: the printed figures compare resident memory after the last request with that
after the first thousand.
"""

import argparse
import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import httpx
import numpy as np
from tqdm import tqdm

from benchmarks.load.ours import SERVER
from benchmarks.load.servers import DEMO, ROOT, descendants, started
from service.api.problems.problem_types import STATUSES
from training import phantoms

DOCUMENTED = {200} | set(map(int, STATUSES.values()))
WARM = 1000
REFUSED = "cut: ConnectError"  # expected after the service has ended, and only then
_CLIENTS = 12
_PAUSE_SECONDS = 4  # between disturbances
_SAMPLES = 10  # of resident memory, evenly spread over the run


class Traffic:
    """Client that sends all kinds of requests and counts how they ended, in `ended`."""

    def __init__(self, address: str, readers: Callable[[], list[int]], seed: int) -> None:
        self.ended: Counter[str] = Counter()
        self._address = urlsplit(address)
        self._readers = readers
        self._random = random.Random(seed)  # noqa: S311 - traffic, no secrets
        self._client = httpx.AsyncClient(
            base_url=address, timeout=60, limits=httpx.Limits(max_connections=200)
        )

        # The files to post.
        view = phantoms.render_view(
            np.random.default_rng(seed), detector=phantoms.Detector(rows=640, columns=480)
        )
        self._png = cv2.imencode(".png", view.pixels)[1].tobytes()
        self._dicom = (ROOT / "docs" / "sample.dcm").read_bytes()

        # How often each kind of request is sent, relative to the others.
        self._kinds: dict[Callable[[], Awaitable[None]], int] = {
            self._predict: 60,
            self._explain: 12,
            self._show_activations: 6,
            self._damaged: 10,
            self._leave: 6,
            self._dribble: 1,
            self._health: 10,
        }

    async def one(self) -> None:
        """Send one request of a random kind."""
        (kind,) = self._random.choices(list(self._kinds), list(self._kinds.values()))
        await kind()

    async def flood(self) -> None:
        """Send more requests at once than the service can answer within their half second."""
        await asyncio.gather(
            *(self._post("/predict", self._png, {"Request-Timeout": "0.5"}) for _ in range(100))
        )

    async def swap(self) -> None:
        """Reload the model."""
        self._note((await self._client.post("/model/reload")).status_code)

    async def kill_a_reader(self) -> None:
        """Kill a random reader process."""
        os.kill(self._random.choice(self._readers()), signal.SIGKILL)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _note(self, status: int) -> None:
        self.ended[str(status) if status in DOCUMENTED else f"undocumented {status}"] += 1

    async def _post(self, route: str, data: bytes, headers: dict[str, str] | None = None) -> None:
        content_type = {"content-type": "application/octet-stream"}

        try:
            answer = await self._client.post(
                route, content=data, headers=content_type | (headers or {})
            )
        except httpx.TransportError as error:
            self.ended[f"cut: {type(error).__name__}"] += 1
        else:
            self._note(answer.status_code)

    async def _predict(self) -> None:
        is_dicom = self._random.random() < 0.1  # noqa: PLR2004 - a tenth
        await self._post("/predict", self._dicom if is_dicom else self._png)

    async def _explain(self) -> None:
        await self._post(
            "/gradcam",
            self._png,
            {"Accept": self._random.choice(["application/json", "image/png"])},
        )

    async def _show_activations(self) -> None:
        await self._post("/activations/conv2d_1", self._png, {"Accept": "image/png"})

    async def _damaged(self) -> None:
        data = self._random.choice([self._dicom, self._png])

        cut = data[: self._random.randrange(len(data))]
        flipped = bytearray(data)
        for _ in range(20):
            flipped[self._random.randrange(len(data))] ^= 1 << self._random.randrange(8)

        await self._post("/predict", self._random.choice([cut, bytes(flipped), b"no image", b""]))

    async def _leave(self) -> None:
        """Send a whole request and leave before it is answered."""
        _, writer = await self._begin(self._dicom)

        await asyncio.sleep(0.05)
        writer.close()
        self.ended["left"] += 1

    async def _dribble(self) -> None:
        """Send the beginning of a request, then nothing, and leave after a second."""
        _, writer = await self._begin(self._dicom[:1000])

        await asyncio.sleep(1)
        writer.close()
        self.ended["dribbled and left"] += 1

    async def _begin(self, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection and send the head of a request, and a part of its body."""
        reader, writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        head = f"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: {len(self._dicom)}"
        writer.write(f"{head}\r\nContent-Type: application/dicom\r\n\r\n".encode() + data)
        return reader, writer

    async def _health(self) -> None:
        self._note((await self._client.get("/livez")).status_code)


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process (Linux)."""
    (kibibytes,) = re.findall(
        r"^VmRSS:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE
    )
    return int(kibibytes) * 1024


def readers(pid: int) -> list[int]:
    """Return the reader processes of that service."""
    return [
        child
        for child in descendants(pid)
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def faults_in(log: Iterable[str]) -> list[str]:
    """Return the log lines that report an error.

    These are JSON lines of level ERROR or CRITICAL, and the first lines of tracebacks.
    """
    return [
        line
        for line in log
        if _level(line) in {"ERROR", "CRITICAL"} or line.startswith("Traceback")
    ]


def _level(line: str) -> str | None:
    """Return the level of a JSON log line, or None for any other line."""
    try:
        level: str = json.loads(line)["level"]
    except (ValueError, TypeError, KeyError):
        return None
    return level


async def soak(process: "subprocess.Popen[bytes]", address: str, requests: int) -> list[str]:
    """Run the traffic and end the service under load. Return a phrase for each kind of failure."""
    traffic = Traffic(address, lambda: readers(process.pid), seed=1)
    warm = 0
    resident: list[int] = []
    early = min(WARM, requests // 2)
    progress = tqdm(total=requests, unit="request", mininterval=2)

    async def keep_sending() -> None:
        nonlocal warm
        while traffic.ended.total() < requests:
            await traffic.one()
            progress.update(traffic.ended.total() - progress.n)
            if not warm and traffic.ended.total() >= early:
                warm = resident_bytes(process.pid)
            if traffic.ended.total() > (len(resident) + 1) * requests / _SAMPLES:
                resident.append(resident_bytes(process.pid) >> 20)

    async def disturb() -> None:
        while traffic.ended.total() < requests:
            for disturbance in (traffic.flood, traffic.kill_a_reader, traffic.swap):
                # A short soak has shorter pauses, so that it has disturbances, too.
                await asyncio.sleep(min(_PAUSE_SECONDS, requests / 400))
                await disturbance()

    # Traffic with disturbances.
    disturbing = asyncio.create_task(disturb())
    await asyncio.gather(*(keep_sending() for _ in range(_CLIENTS)))
    await disturbing
    await asyncio.sleep(1)
    last = resident_bytes(process.pid)
    cut_while_running = traffic.ended[REFUSED]

    # SIGTERM under load.
    process.send_signal(signal.SIGTERM)
    await asyncio.gather(*(traffic.one() for _ in range(50)), return_exceptions=True)
    await traffic.close()
    progress.close()

    print(", ".join(f"{ended}: {count}" for ended, count in sorted(traffic.ended.items())))
    print(f"resident, MiB, at each tenth: {', '.join(map(str, resident))}")
    print(
        f"resident after {early} requests {warm >> 20} MiB, "
        f"at the end {last >> 20} MiB ({last / warm:.3f})"
    )
    return [
        f"{count} {ended}"
        for ended, count in traffic.ended.items()
        if ended.startswith(("undocumented", "cut")) and (ended != REFUSED or cut_while_running)
    ]


def main() -> None:
    """Print how the requests ended. Exit with 1 if anything undocumented happened."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--requests", type=int, default=3000, help="number of requests (default 3000: some minutes)"
    )
    parser.add_argument(
        "--model", type=Path, default=DEMO.parent, help="model to serve (default models/demo)"
    )
    options = parser.parse_args()

    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}")
    with tempfile.TemporaryFile() as log:
        with started(SERVER, log, options.model) as running:
            wrong = asyncio.run(soak(running.process, running.address, options.requests))
            code = running.process.wait(60)
        log.seek(0)
        faults = faults_in(log.read().decode().splitlines())

    wrong += [f"exit code {code}"] * (code != 0) + [f"logged: {line}" for line in faults]
    print("\n".join(wrong) or "every request accounted for, nothing wrong in the log, exit code 0")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
