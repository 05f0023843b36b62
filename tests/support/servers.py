"""Service in a separate process."""

import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import IO

import pytest

from tests.support.paths import ROOT


@dataclass(frozen=True, slots=True)
class Running:
    """Address and process of a running service."""

    address: str
    process: "subprocess.Popen[bytes]"


Start = Callable[..., AbstractContextManager[Running]]


@contextmanager
def running(
    stderr: IO[bytes] | None = None,
    wrapper: Sequence[str] = (),
    until: str = "/readyz",
    **settings: str,
) -> Iterator[Running]:
    """Run `python -m service` with the fake model; terminate it at the end.

    `stderr` receives standard error. `wrapper`: command that runs the rest of its arguments in its
    place. `until`: path that answers 200 before the tests begin. `settings` are environment
    variables; without PORT it takes a free one.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = settings.get("PORT") or str(probe.getsockname()[1])

    environment = {
        **os.environ,
        "PORT": port,
        "HOST": "127.0.0.1",
        "MAMMOLENS_MODEL": "fake",
        "MAMMOLENS_ALLOWED_HOSTS": "127.0.0.1,localhost,a",  # of requests written by hand
        **settings,
    }

    with subprocess.Popen(
        [*wrapper, sys.executable, "-m", "service"], cwd=ROOT, env=environment, stderr=stderr
    ) as process:
        scheme = "https" if "MAMMOLENS_TLS_CERTIFICATE" in settings else "http"
        server = Running(f"{scheme}://127.0.0.1:{port}", process)

        try:
            wait_until_ready(server, until)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(timeout=40)
            finally:
                process.kill()  # a service that does not end fails its test alone


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m service` until it ends."""
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        cwd=ROOT,
        env={**os.environ, "HOST": "127.0.0.1", "PORT": "0", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def wait_until_ready(server: Running, path: str = "/readyz") -> None:
    """Wait up to 60 seconds until the path answers 200."""
    url = f"{server.address}{path}"
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    deadline = time.monotonic() + 60

    while time.monotonic() < deadline:
        assert server.process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=5, context=unverified):  # noqa: S310 - loopback
                return
        except OSError:  # refused, 503, or too slow to answer
            time.sleep(0.05)

    pytest.fail("the server did not become ready")
