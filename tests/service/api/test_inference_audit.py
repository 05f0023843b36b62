"""The audit lines of inferences."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from service.api.app import create_app
from service.model import FakeModel
from service.observability.audit import Audit
from service.settings import FAKE, Settings
from tests.support.clients import until_ready

KEY = "a key of more than thirty-two characters"
Lines = Callable[[], list[dict[str, Any]]]
POSTS = [
    "/predict", "/activations/conv2d", "/gradcam",
    "/activations/conv2d.png", "/gradcam.png", "/gradcam.jpeg", "/gradcam.webp",
]  # fmt: skip


@contextmanager
def connected(path: Path) -> Iterator[TestClient]:
    """Yield a client of a ready service whose audit log is `path`."""
    app = create_app(Settings(model=FAKE, audit_log=path, audit_key=SecretStr(KEY)))
    with TestClient(app, raise_server_exceptions=False) as client:
        until_ready(client)
        yield client


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audit") / "audit.jsonl"


@pytest.fixture(scope="module")
def audited(path: Path) -> Iterator[TestClient]:
    with connected(path) as client:
        yield client


@pytest.fixture
def lines(path: Path) -> Lines:
    """Return a function that reads the lines written since the test began."""
    before = len(path.read_text().splitlines()) if path.exists() else 0
    return lambda: [json.loads(line) for line in path.read_text().splitlines()[before:]]


def test_each_inference_writes_one_line(
    audited: TestClient, mammogram_png: bytes, lines: Lines
) -> None:
    """The line names the request, the caller, the model and the image."""
    for route in POSTS:
        audited.post(
            route,
            files={"file": mammogram_png},
            headers={"x-request-id": f"of{route.replace('/', '-')}"},
        )
    audited.post("/predict", content=mammogram_png, headers={"content-type": "image/png"})

    written = lines()
    assert [line["route"] for line in written] == [
        "/predict",
        "/activations/{layer}",
        "/gradcam",
        "/activations/{layer}.png",
        "/gradcam.png",
        "/gradcam.jpeg",
        "/gradcam.webp",
        "/predict",
    ]
    assert [line["request_id"] for line in written[:7]] == [
        "of-predict",
        "of-activations-conv2d",
        "of-gradcam",
        "of-activations-conv2d.png",
        "of-gradcam.png",
        "of-gradcam.jpeg",
        "of-gradcam.webp",
    ]

    for line in written:
        assert (line["model"], line["version"], line["digest"]) == ("fake", 1, FakeModel().digest)
        assert line["image"] == Audit(Path("/dev/null"), KEY).fingerprint(mammogram_png)
        assert (line["outcome"], line["status"], line["caller"]) == ("ok", 200, "anonymous")


@pytest.mark.parametrize("route", POSTS)
def test_failed_inference_is_recorded_with_its_problem(
    audited: TestClient, lines: Lines, route: str
) -> None:
    audited.post(route, files={"file": b"no image at all"})

    (line,) = lines()
    assert (line["outcome"], line["status"]) == ("unsupported-format", 415)


def test_internal_error_is_recorded(
    audited: TestClient, lines: Lines, mammogram_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("service.pipeline.predict", fail)

    answer = audited.post("/predict", files={"file": mammogram_png})

    assert answer.status_code == 500
    (line,) = lines()
    assert (line["outcome"], line["status"]) == ("internal-error", 500)


def test_request_without_image_is_not_recorded(audited: TestClient, lines: Lines) -> None:
    audited.get("/model")
    audited.post("/predict", files={"image": b"under another name"})
    audited.post("/predict", content=b"text", headers={"content-type": "text/plain"})

    assert lines() == []


def test_images_are_hashed_in_a_worker_thread(
    audited: TestClient, mammogram_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    fingerprint = Audit.fingerprint

    def note_thread(audit: Audit, data: bytes) -> str:
        threads.append(threading.current_thread().name)
        return fingerprint(audit, data)

    monkeypatch.setattr(Audit, "fingerprint", note_thread)
    audited.post("/predict", files={"file": mammogram_png})

    (name,) = threads
    assert "AnyIO worker thread" in name


@pytest.fixture(scope="module")
def without_audit() -> Iterator[TestClient]:
    """Client of a service whose audit log takes no line."""
    with connected(Path("/dev/full")) as client:
        yield client


@pytest.mark.parametrize("route", POSTS)
@pytest.mark.parametrize("data", [None, b"no image"], ids=["image", "no image"])
def test_no_result_without_an_audit_line(
    without_audit: TestClient, mammogram_png: bytes, route: str, data: bytes | None
) -> None:
    answer = without_audit.post(route, files={"file": data or mammogram_png})

    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:mammolens:internal-error"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("data", [None, b"no image"], ids=["image", "no image"])
def test_service_without_audit_is_not_ready(mammogram_png: bytes, data: bytes | None) -> None:
    with connected(Path("/dev/full")) as client:
        client.post("/predict", files={"file": data or mammogram_png})

        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["type"] == "urn:mammolens:audit-unavailable"
        assert client.get("/model").status_code == 200
