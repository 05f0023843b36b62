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
POSTS = ["/predict", "/activations/conv2d", "/gradcam"]


@contextmanager
def connected(path: Path) -> Iterator[TestClient]:
    """A client of a ready service that keeps an audit there."""
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
    """The lines that were written since the test began."""
    before = len(path.read_text().splitlines()) if path.exists() else 0
    return lambda: [json.loads(line) for line in path.read_text().splitlines()[before:]]


def test_each_inference_has_one_line_that_names_request_model_and_image(
    audited: TestClient, mammogram_png: bytes, lines: Lines
) -> None:
    for route in POSTS:
        audited.post(
            route,
            files={"file": mammogram_png},
            headers={"x-request-id": f"of{route.replace('/', '-')}"},
        )
    audited.post("/predict", content=mammogram_png, headers={"content-type": "image/png"})
    found = lines()
    assert [line["route"] for line in found] == [
        "/predict",
        "/activations/{layer}",
        "/gradcam",
        "/predict",
    ]
    assert [line["request_id"] for line in found[:3]] == [
        "of-predict",
        "of-activations-conv2d",
        "of-gradcam",
    ]
    for line in found:
        assert (line["model"], line["version"], line["digest"]) == ("fake", 1, FakeModel().digest)
        assert line["image"] == Audit(Path("/dev/null"), KEY).fingerprint(mammogram_png)
        assert (line["outcome"], line["status"], line["caller"]) == ("ok", 200, "anonymous")


@pytest.mark.parametrize("route", POSTS)
def test_an_inference_that_fails_has_its_line_with_the_problem(
    audited: TestClient, lines: Lines, route: str
) -> None:
    audited.post(route, files={"file": b"no image at all"})
    (line,) = lines()
    assert (line["outcome"], line["status"]) == ("unsupported-format", 415)


def test_a_fault_of_ours_has_its_line(
    audited: TestClient, lines: Lines, mammogram_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("service.pipeline.predict", fail)
    assert audited.post("/predict", files={"file": mammogram_png}).status_code == 500
    (line,) = lines()
    assert (line["outcome"], line["status"]) == ("internal-error", 500)


def test_a_request_without_an_image_has_no_line(audited: TestClient, lines: Lines) -> None:
    audited.get("/model")
    audited.post("/predict", files={"image": b"under another name"})
    audited.post("/predict", content=b"text", headers={"content-type": "text/plain"})
    assert lines() == []


def test_images_are_hashed_beside_the_event_loop(
    audited: TestClient, mammogram_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    fingerprint = Audit.fingerprint

    def tell(audit: Audit, data: bytes) -> str:
        threads.append(threading.current_thread().name)
        return fingerprint(audit, data)

    monkeypatch.setattr(Audit, "fingerprint", tell)
    audited.post("/predict", files={"file": mammogram_png})
    (name,) = threads
    assert "AnyIO worker thread" in name


@pytest.mark.parametrize("route", POSTS)
@pytest.mark.parametrize("data", [None, b"no image"], ids=["image", "no image"])
def test_where_no_line_can_be_written_no_answer_is_given(
    mammogram_png: bytes, route: str, data: bytes | None
) -> None:
    with connected(Path("/dev/full")) as client:
        answer = client.post(route, files={"file": data or mammogram_png})
        assert answer.status_code == 500
        assert answer.json()["type"] == "urn:mammolens:internal-error"
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
        assert client.get("/readyz").status_code == 200
