"""Run a server for a measurement: start it, wait for it, send it images, stop it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx

from benchmarks.load import generator
from benchmarks.load.peers.work import DEADLINE_SECONDS, ROOT

__all__ = ["DEADLINE_SECONDS", "DEMO", "ROOT", "Running", "Server", "descendants", "started"]
DEMO = ROOT / "models" / "demo" / "1"
_START_SECONDS = 90
_STOP_SECONDS = 15


def raw_body(data: bytes) -> bytes:
    """Return the image unchanged, as the body of a request."""
    return data


def plain_probabilities(answer: Any) -> Mapping[str, float]:
    """Return the probabilities from an answer that holds nothing else."""
    probabilities: Mapping[str, float] = answer["probabilities"]
    return probabilities


@dataclass(frozen=True, slots=True)
class Server:
    """Start command of a server, and the form of its requests and answers.

    `command` and `environment` may hold placeholders. {root} is the root of the repository,
    {bundle} the model's bundle, {scratch} a temporary directory.
    {port}, {spare} and {other} are free ports.
    {counter} is a file to which the server appends one byte for each computed image.
    `computed` returns the number of computed images of a server that does not write this file.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    path: str = "/predict"
    content_type: str = "application/dicom"
    body: Callable[[bytes], bytes] = raw_body
    probabilities: Callable[[Any], Mapping[str, float]] = plain_probabilities
    ready: str = "/readyz"
    alive: str = "/livez"
    computed: "Callable[[Running], int] | None" = None

    def request(self, data: bytes, timeout: float | None = None) -> bytes:
        """Return the bytes of a request for this image."""
        return generator.request(self.path, self.body(data), self.content_type, timeout)


@dataclass(frozen=True, slots=True)
class Running:
    """A server that is ready. `ready_seconds`: seconds from its start until it was ready."""

    server: Server
    port: int
    process: "subprocess.Popen[bytes]"
    counter: Path
    ready_seconds: float

    @property
    def address(self) -> str:
        """Base URL of the server."""
        return f"http://127.0.0.1:{self.port}"

    def computed(self) -> int:
        """Return the number of images for which the server has computed probabilities."""
        return self.server.computed(self) if self.server.computed else self.counter.stat().st_size

    def predict(self, data: bytes) -> Mapping[str, float]:
        """Send an image and return its probabilities by class.

        Raises:
            HTTPStatusError: the server refuses the image.
        """
        answer = httpx.post(
            f"{self.address}{self.server.path}",
            content=self.server.body(data),
            headers={"content-type": self.server.content_type},
            timeout=60,
        )
        return self.server.probabilities(answer.raise_for_status().json())

    def pss_mebibytes(self) -> float:
        """Return the proportional set size of the server and its descendants.

        Shared pages count once.
        """
        return sum(map(_pss_kibibytes, descendants(self.process.pid))) / 1024


@contextmanager
def started(server: Server, log: IO[bytes], bundle: Path = DEMO) -> Iterator[Running]:
    """Start the server with this bundle, yield it when it is ready, and stop it.

    Its standard output and standard error go to `log`.

    Raises:
        RuntimeError: the server ended, or did not become ready.
    """
    with tempfile.TemporaryDirectory() as scratch:
        counter = Path(scratch, "computed")
        counter.touch()
        port, spare, other = _free_ports(3)
        values = {
            "port": port,
            "spare": spare,
            "other": other,
            "scratch": scratch,
            "counter": counter,
            "root": ROOT,
            "bundle": bundle,
        }
        command = [part.format(**values) for part in server.command]
        settings = {name: text.format(**values) for name, text in server.environment.items()}

        start = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - named in this package
            command,
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait_until_ready(f"http://127.0.0.1:{port}{server.ready}", process)
            yield Running(server, port, process, counter, time.perf_counter() - start)
        finally:
            _stop(process)


def descendants(root: int) -> list[int]:
    """Return the IDs of the process `root` and of all its running descendants."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))

    tree = [root]
    for process in tree:  # the list grows while it is read
        tree += children.get(process, [])
    return tree


def _pss_kibibytes(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _free_ports(number: int) -> list[int]:
    """Return free ports. All are held until the last is chosen, so that they differ."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _wait_until_ready(address: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError("the server ended before it was ready")

        try:
            if httpx.get(address, timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.02)

    raise RuntimeError(f"the server was not ready after {_START_SECONDS} s")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Send SIGTERM, then kill the processes that are left, and wait until all have ended."""
    tree = descendants(process.pid)
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        print(f"killed: it did not end within {_STOP_SECONDS} s of SIGTERM", file=sys.stderr)

    for pid in tree:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()

    # The kernel has to free the memory, and init has to reap the descendants.
    end = time.monotonic() + _STOP_SECONDS
    while any(Path(f"/proc/{pid}").exists() for pid in tree) and time.monotonic() < end:
        time.sleep(0.01)
