"""HAProxy with the configuration of deploy/haproxy, before instances on this machine."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.certificates import TlsFiles
from tests.support.paths import ROOT

CONFIGURATION = ROOT / "deploy" / "haproxy" / "haproxy.cfg"
NAMES = ("one", "two", "three")
"""Names of the instances in the configuration."""


@dataclass(frozen=True, slots=True)
class Balancer:
    """Address of a running HAProxy, and its admin socket."""

    address: str
    socket: Path

    def set_state(self, name: str, state: str) -> None:
        """Set the state of an instance: ready, drain or maint."""
        self._command(f"set server instances/{name} state {state}")

    def wait_until_up(self, name: str) -> None:
        """Wait up to 60 seconds until an instance gets requests."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            rows = self._command("show stat").splitlines()
            (status,) = (row.split(",")[17] for row in rows if row.startswith(f"instances,{name},"))
            if status == "UP":
                return
            time.sleep(0.05)
        pytest.fail(f"{name} did not come up")

    def _command(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
            connection.sendall(f"{command}\n".encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        return answer.decode()


@contextmanager
def balancing(folder: Path, ports: Sequence[int], files: TlsFiles) -> Iterator[Balancer]:
    """Run HAProxy before instances on these ports, with all its files in the folder."""
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    assert program, "haproxy is missing: run requirements/outside"

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "tls.pem").write_bytes(files.certificate.read_bytes() + files.key.read_bytes())
    (folder / "haproxy.cfg").write_text(_shipped(folder, port, ports))

    with subprocess.Popen([program, "-db", "-f", str(folder / "haproxy.cfg")]) as process:
        balancer = Balancer(f"https://127.0.0.1:{port}", folder / "admin.sock")
        try:
            for name in NAMES:
                _wait_for_socket(balancer, process)
                balancer.wait_until_up(name)
            yield balancer
        finally:
            process.terminate()
            process.wait(timeout=20)


def _shipped(folder: Path, port: int, ports: Sequence[int]) -> str:
    """Return the shipped configuration with other addresses and paths, and nothing else."""
    text = CONFIGURATION.read_text("utf-8")
    replaced = {
        "bind :8443": f"bind 127.0.0.1:{port}",
        "/etc/haproxy/tls.pem": str(folder / "tls.pem"),
        "/run/haproxy/admin.sock": str(folder / "admin.sock"),
        **{f"mammolens-{number}:8000": f"127.0.0.1:{own}" for number, own in enumerate(ports, 1)},
    }
    for shipped, own in replaced.items():
        assert text.count(shipped) == 1, shipped
        text = text.replace(shipped, own)
    return text


def _wait_for_socket(balancer: Balancer, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 20
    while not balancer.socket.exists():
        assert process.poll() is None, "haproxy ended"
        assert time.monotonic() < deadline, "haproxy does not start"
        time.sleep(0.05)
