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
from pathlib import Path
from typing import IO

import pytest

ROOT = Path(__file__).parents[2]
Start = Callable[..., AbstractContextManager[str]]


@pytest.fixture(scope="session")
def start() -> Start:
    """Starts `python -m service` with its stand-in model in a process of its own, and ends it; gives its address.

    Where standard error goes to, and settings by the names of their variables.
    """
    return _start


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a running service."""
    with _start() as address:
        yield address


@contextmanager
def _start(stderr: IO[bytes] | None = None, **settings: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PORT": str(port), "HOST": "127.0.0.1", "MAMMOLENS_MODEL": "fake", **settings}
    with subprocess.Popen([sys.executable, "-m", "service"], cwd=ROOT, env=environment, stderr=stderr) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            wait_until_ready(address, process)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_until_ready(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5):  # noqa: S310 - loopback
                return
        except urllib.error.URLError:
            time.sleep(0.05)
    pytest.fail("the server did not become ready")
