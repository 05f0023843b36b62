"""Orthanc with DICOMweb on this machine: an archive that tests store objects in."""

import base64
import json
import secrets
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from dicomweb_client import DICOMwebClient
from dicomweb_client.session_utils import create_session_from_user_pass

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
USER = "tester"


@dataclass(frozen=True, slots=True)
class Archive:
    """A running Orthanc.

    `address`: without a path. `client`: one of DICOMweb that shares no code with the service.
    """

    address: str
    password: str = field(repr=False)
    client: DICOMwebClient

    @property
    def dicomweb(self) -> str:
        """Address of DICOMweb."""
        return f"{self.address}/dicom-web"

    @property
    def authorization(self) -> str:
        """Value of the header with user and password."""
        pair = f"{USER}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode('ascii')}"


@contextmanager
def archiving(folder: Path) -> Iterator[Archive]:
    """Run an empty Orthanc, with all its files in the folder. It accepts this machine alone."""
    program = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")
    assert program, "Orthanc is missing: run requirements/outside"

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    password = secrets.token_hex(16)
    configuration = folder / "orthanc.json"
    configuration.write_text(json.dumps(_configuration(folder, port, password)))

    log = folder / "orthanc.log"
    address = f"http://127.0.0.1:{port}"
    with (
        create_session_from_user_pass(USER, password) as session,
        log.open("wb") as output,
        subprocess.Popen([program, str(configuration)], stdout=output, stderr=output) as process,
    ):
        client = DICOMwebClient(f"{address}/dicom-web", session=session)
        archive = Archive(address, password, client)
        try:
            _wait_until_answering(archive, process, log)
            yield archive
        finally:
            process.terminate()
            _wait_until_ended(process)


def _configuration(folder: Path, port: int, password: str) -> dict[str, object]:
    return {
        "Name": "tests",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "HttpPort": port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: password},
        "DicomServerEnabled": False,
        "OverwriteInstances": True,
        "DefaultEncoding": "Utf8",  # of answers to questions: Latin 1 would lose names
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "StudiesMetadata": "Full"},
    }


def _wait_until_answering(archive: Archive, process: "subprocess.Popen[bytes]", log: Path) -> None:
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{archive.dicomweb}/studies", headers={"Authorization": archive.authorization}
    )
    deadline = time.monotonic() + 30

    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text("utf-8", "replace")
        try:
            with urllib.request.urlopen(request, timeout=5):  # noqa: S310 - loopback
                return
        except urllib.error.URLError:
            time.sleep(0.05)

    pytest.fail("Orthanc does not answer")


def _wait_until_ended(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=20)
