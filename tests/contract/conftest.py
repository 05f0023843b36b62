"""A running service, as its users meet it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Running:
    """A server's address and process."""

    address: str
    process: "subprocess.Popen[bytes]"


@contextmanager
def running(**environment: str) -> Iterator[Running]:
    """`python -m service` in a process of its own, ready; by default with its stand-in model."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {**os.environ, "PORT": str(port), "HOST": "127.0.0.1", "MAMMOLENS_MODEL": "fake", **environment}
    with subprocess.Popen([sys.executable, "-m", "service"], cwd=ROOT, env=variables) as process:
        found = Running(f"http://127.0.0.1:{port}", process)
        try:
            wait_until_ready(found)
            yield found
        finally:
            process.terminate()
            process.wait(timeout=40)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server with its stand-in model."""
    with running() as found:
        yield found.address


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
