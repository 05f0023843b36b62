"""A running service, as its users meet it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Running:
    """A server's address and process."""

    address: str
    process: "subprocess.Popen[bytes]"


Start = Callable[..., AbstractContextManager[Running]]


@pytest.fixture(scope="session")
def start() -> Start:
    """Starts `python -m service` with its stand-in model in a process of its own, and ends it.

    Where standard error goes to, and settings by the names of their variables.
    """
    return running


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server with its stand-in model."""
    with running() as found:
        yield found.address


@contextmanager
def running(stderr: IO[bytes] | None = None, **settings: str) -> Iterator[Running]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PORT": str(port), "HOST": "127.0.0.1", "MAMMOLENS_MODEL": "fake", **settings}
    with subprocess.Popen([sys.executable, "-m", "service"], cwd=ROOT, env=environment, stderr=stderr) as process:
        found = Running(f"http://127.0.0.1:{port}", process)
        try:
            wait_until_ready(found)
            yield found
        finally:
            process.terminate()
            process.wait(timeout=40)


def wait_until_ready(found: Running) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert found.process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(f"{found.address}/readyz", timeout=5):  # noqa: S310 - loopback
                return
        except urllib.error.URLError:
            time.sleep(0.05)
    pytest.fail("the server did not become ready")
