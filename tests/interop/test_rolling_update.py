"""A rolling update of three instances behind HAProxy: no request fails, no answer is mixed."""

import json
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from service.model import MANIFEST_FILE
from tests.support.certificates import TlsFiles, make_tls_files
from tests.support.haproxy import NAMES, Balancer, balancing
from tests.support.paths import ROOT, SAMPLE
from tests.support.servers import running

pytestmark = pytest.mark.interop

CALLERS = 3
DEMO = ROOT / "models" / "demo" / "1"


@dataclass
class Answers:
    """What callers got: statuses, and the versions that answers name in two places."""

    statuses: list[int] = field(default_factory=list)
    versions: set[tuple[int, str]] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Folder with versions 1 and 2 of one network."""
    folder = tmp_path / "models"
    for version in (1, 2):
        shutil.copytree(DEMO, folder / str(version) / str(version))
    manifest = folder / "2" / "2" / MANIFEST_FILE
    facts = json.loads(manifest.read_text("utf-8"))
    manifest.write_text(json.dumps(facts | {"version": 2}), "utf-8")
    return folder


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


@dataclass
class Instances:
    """Three instances on fixed ports, each of which can be replaced."""

    ports: list[int]
    stacks: dict[str, ExitStack] = field(default_factory=dict)

    def start(self, name: str, model: Path) -> None:
        """Start an instance with a model, and wait until it is ready."""
        stack = self.stacks[name] = ExitStack()
        port = str(self.ports[NAMES.index(name)])
        server = running(None, PORT=port, MAMMOLENS_MODEL=str(model), MAMMOLENS_READERS="1")
        stack.enter_context(server)

    def stop(self, name: str) -> None:
        """End an instance as a supervisor does, by SIGTERM, and wait for its end."""
        self.stacks.pop(name).close()

    def stop_all(self) -> None:
        for name in [*self.stacks]:
            self.stop(name)


@pytest.fixture
def instances(models: Path) -> Iterator[Instances]:
    """Three instances with version 1."""
    three = Instances(free_ports(len(NAMES)))
    try:
        for name in NAMES:
            three.start(name, models / "1")
        yield three
    finally:
        three.stop_all()


def call(address: str, files: TlsFiles, stop: threading.Event, answers: Answers) -> None:
    """Ask for predictions, one after the other, until `stop` is set."""
    trusting = ssl.create_default_context(cafile=str(files.certificate))
    data = SAMPLE.read_bytes()
    headers = {"content-type": "application/dicom"}
    with httpx.Client(base_url=address, verify=trusting, timeout=60) as client:
        while not stop.is_set():
            try:
                answer = client.post("/predict", content=data, headers=headers)
            except httpx.HTTPError as error:
                answers.faults.append(repr(error))
                continue
            answers.statuses.append(answer.status_code)
            model = answer.json().get("model", {})
            answers.versions.add((model.get("version"), model.get("digest")))


def replace(name: str, instances: Instances, balancer: Balancer, model: Path) -> None:
    """Replace an instance: no new request for it, its end, its successor."""
    balancer.set_state(name, "drain")
    instances.stop(name)
    instances.start(name, model)
    balancer.set_state(name, "ready")
    balancer.wait_until_up(name)


def test_rolling_update_fails_no_request(
    instances: Instances, models: Path, tmp_path: Path
) -> None:
    files = make_tls_files(tmp_path / "tls")
    answers = [Answers() for _ in range(CALLERS)]
    stop = threading.Event()

    with balancing(tmp_path, instances.ports, files) as balancer:
        threads = [
            threading.Thread(target=call, args=(balancer.address, files, stop, own))
            for own in answers
        ]
        for thread in threads:
            thread.start()
        for name in NAMES:
            replace(name, instances, balancer, models / "2")
        stop.set()
        for thread in threads:
            thread.join()

    statuses = [status for own in answers for status in own.statuses]
    versions = set().union(*(own.versions for own in answers))
    assert [fault for own in answers for fault in own.faults] == []
    assert set(statuses) == {200}
    assert sorted(version for version, _ in versions) == [1, 2]
