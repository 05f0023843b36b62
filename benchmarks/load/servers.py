"""A server under measurement: started, waited for, asked once, weighed and stopped."""

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


def bare(data: bytes) -> bytes:
    """The image as it is."""
    return data


def plain(answer: Any) -> Mapping[str, float]:
    """The probabilities of an answer that has nothing else."""
    probabilities: Mapping[str, float] = answer["probabilities"]
    return probabilities


@dataclass(frozen=True, slots=True)
class Server:
    """How to start a server, and how to ask it for the probabilities of an image.

    In `command` and `environment` {root} stands for this tree, {bundle} for the model's bundle, {port}, {spare} and
    {other} for free ports, {scratch} for a directory of its own and {counter} for a file to which it appends a byte for
    each image that it has computed.
    `computed`: how to ask for that number otherwise.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    path: str = "/predict"
    content_type: str = "application/dicom"
    body: Callable[[bytes], bytes] = bare
    probabilities: Callable[[Any], Mapping[str, float]] = plain
    ready: str = "/readyz"
    alive: str = "/livez"
    computed: "Callable[[Running], int] | None" = None

    def request(self, data: bytes, timeout: float | None = None) -> bytes:
        """The bytes of a request for that image."""
        return generator.request(self.path, self.body(data), self.content_type, timeout)


@dataclass(frozen=True, slots=True)
class Running:
    """A server that is ready: its port, its process, where it counts, and the seconds from its start to then."""

    server: Server
    port: int
    process: "subprocess.Popen[bytes]"
    counter: Path
    ready_seconds: float

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def computed(self) -> int:
        """How many images it has computed the probabilities of."""
        return self.server.computed(self) if self.server.computed else self.counter.stat().st_size

    def ask(self, data: bytes) -> Mapping[str, float]:
        """The probabilities by class of an image."""
        headers = {"content-type": self.server.content_type}
        answer = httpx.post(
            f"{self.address}{self.server.path}",
            content=self.server.body(data),
            headers=headers,
            timeout=60,
        )
        return self.server.probabilities(answer.raise_for_status().json())

    def pss_mebibytes(self) -> float:
        """The proportional set size of the server and all its descendants: shared pages count once."""
        return sum(map(_pss_kibibytes, descendants(self.process.pid))) / 1024


@contextmanager
def started(server: Server, log: IO[bytes], bundle: Path = DEMO) -> Iterator[Running]:
    """The server of that bundle from when it is ready, its outputs in the log.

    Raises:
        RuntimeError: it ended, or did not become ready.
    """
    with tempfile.TemporaryDirectory() as scratch:
        counter = Path(scratch, "computed")
        counter.touch()
        port, spare, other = _free_ports(3)
        places = {
            "port": port,
            "spare": spare,
            "other": other,
            "scratch": scratch,
            "counter": counter,
            "root": ROOT,
            "bundle": bundle,
        }
        command = [part.format(**places) for part in server.command]
        own = {name: value.format(**places) for name, value in server.environment.items()}
        start = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - named in this package
            command,
            cwd=ROOT,
            env={**os.environ, **own},
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
    """The process and all that it and its children have started, as far as they run."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def _pss_kibibytes(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _free_ports(number: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _wait_until_ready(address: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError("it ended before it was ready")
        try:
            if httpx.get(address, timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.02)
    raise RuntimeError(f"it was not ready after {_START_SECONDS} s")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Asks it to end, and kills what is left of it then."""
    tree = descendants(process.pid)
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        print(f"did not end within {_STOP_SECONDS} s of SIGTERM: killed", file=sys.stderr)
    for each in tree:
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    process.wait()
    end = time.monotonic() + _STOP_SECONDS
    while any(Path(f"/proc/{each}").exists() for each in tree) and time.monotonic() < end:
        time.sleep(0.01)  # the kernel gives memory back and init reaps the rest
