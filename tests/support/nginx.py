"""nginx with the configuration of deploy/nginx, before a service on this machine."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.certificates import TlsFiles
from tests.support.paths import ROOT
from tests.support.servers import Running

CONFIGURATION = ROOT / "deploy" / "nginx" / "mammolens.conf"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
"""Directories in which nginx may store bodies and answers."""


@contextmanager
def proxying(folder: Path, server: str, files: TlsFiles) -> Iterator[Running]:
    """Run nginx before the service at that address, with all its files in the folder."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    assert program, "nginx is missing: run requirements/outside"

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    main = folder / "nginx.conf"
    main.write_text(_main(folder))
    (folder / "mammolens.conf").write_text(_shipped(folder, port, server, files))

    command = [program, "-p", str(folder), "-c", str(main), "-e", str(folder / "error.log")]
    with subprocess.Popen(command) as process:
        try:
            _wait_until_listening(port, process)
            yield Running(f"https://127.0.0.1:{port}", process)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _main(folder: Path) -> str:
    temporary = "".join(f"{name}_temp_path {folder}/{name};\n" for name in TEMPORARY)
    return (
        f"user root;\ndaemon off;\nworker_processes 1;\npid {folder}/pid;\n"
        f"events {{}}\nhttp {{\n{temporary}include {folder}/mammolens.conf;\n}}\n"
    )


def _shipped(folder: Path, port: int, server: str, files: TlsFiles) -> str:
    """Return the shipped configuration with other addresses and paths, and nothing else."""
    text = CONFIGURATION.read_text("utf-8")
    replaced = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "server mammolens:8000": f"server {server.removeprefix('http://')}",
        "/etc/nginx/tls/certificate.pem": str(files.certificate),
        "/etc/nginx/tls/key.pem": str(files.key),
        "/var/log/nginx/access.log": f"{folder}/access.log",
    }
    for shipped, own in replaced.items():
        assert text.count(shipped) == 1, shipped
        text = text.replace(shipped, own)
    return text


def _wait_until_listening(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, "nginx ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return

    pytest.fail("nginx does not listen")
