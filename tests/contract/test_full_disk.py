"""A running service whose audit file cannot grow, as on a full disk."""

import json
import re
import resource
import time
from pathlib import Path

import httpx

from tests.support.paths import ROOT
from tests.support.servers import Start

SAMPLE = (ROOT / "docs" / "sample.dcm").read_bytes()
DICOM = {"content-type": "application/dicom"}
FILLER_BYTES = 2_000_000  # beyond the image, which also passes through a file in memory


def get(service: str, route: str) -> httpx.Response:
    """Get the route over a connection of its own: a fault closes the one that it came over."""
    return httpx.get(service + route, timeout=30)


def predict(service: str) -> httpx.Response:
    return httpx.post(f"{service}/predict", content=SAMPLE, headers=DICOM, timeout=30)


def metric(service: str, name: str) -> float:
    match = re.search(rf"^{name} (\S+)$", get(service, "/metrics").text, re.MULTILINE)
    assert match is not None
    return float(match[1])


def wait_until_ready(service: str) -> None:
    end = time.monotonic() + 10
    while get(service, "/readyz").status_code != 200:
        assert time.monotonic() < end
        time.sleep(0.1)


def limit_files(pid: int, limit: int) -> None:
    """Bound the size of the files that the process writes: it gets EFBIG, after a short write."""
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, most))


def test_full_disk_is_reported_and_recovered_from(start: Start, tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    audit.write_text(json.dumps("-" * FILLER_BYTES) + "\n")
    settings = {"MAMMOLENS_AUDIT_LOG": str(audit), "MAMMOLENS_AUDIT_KEY": "k" * 32}

    with (tmp_path / "log").open("wb") as log, start(log, **settings) as running:
        service = running.address
        first = predict(service)
        limit_files(running.process.pid, audit.stat().st_size + 50)
        lost = predict(service)
        ready = get(service, "/readyz")
        failing = (
            metric(service, "mammolens_ready"),
            metric(service, "mammolens_audit_lost_total"),
        )

        limit_files(running.process.pid, resource.RLIM_INFINITY)
        wait_until_ready(service)
        recovered = metric(service, "mammolens_ready")
        last = predict(service)

    assert [first.status_code, lost.status_code, last.status_code] == [200, 500, 200]
    assert (ready.status_code, ready.json()["type"]) == (503, "urn:mammolens:audit-unavailable")
    assert failing == (0, 1)
    assert recovered == 1

    _, *lines = [json.loads(line) for line in audit.read_text().splitlines()]
    answered = [answer.headers["x-request-id"] for answer in (first, last)]
    assert [line["request_id"] for line in lines] == answered

    written = (tmp_path / "log").read_text()
    assert f"The audit log {audit} cannot be written: File too large." in written
