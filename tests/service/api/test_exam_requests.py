"""Bodies of exams, their bounds, their audit and their metrics."""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from service.api.app import create_app
from service.observability.audit import Audit
from service.settings import FAKE, Settings
from tests.support.clients import until_ready
from tests.support.exam_files import as_form, complete_exam_files, exam_file

KEY = "a key of more than thirty-two characters"
RELATED = 'multipart/related; type="application/dicom"; boundary=XX'
FORM = "multipart/form-data; boundary=XX"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audit") / "audit.jsonl"


@pytest.fixture(scope="module")
def small(path: Path) -> Iterator[TestClient]:
    """Client of a service that takes files of 300 kB, and exams of 900 kB."""
    settings = Settings(
        model=FAKE,
        audit_log=path,
        audit_key=SecretStr(KEY),
        max_upload_bytes=300_000,
        max_exam_bytes=900_000,
    )
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        until_ready(client)
        yield client


@pytest.fixture
def lines(path: Path) -> Lines:
    """Return a function that reads the lines written since the test began."""
    before = len(path.read_text().splitlines()) if path.exists() else 0
    return lambda: [json.loads(line) for line in path.read_text().splitlines()[before:]]


def parts(files: list[bytes], header: str) -> bytes:
    """Return a multipart body with one part for each file."""
    return b"".join(b"--XX\r\n%b\r\n\r\n%b\r\n" % (header.encode(), file) for file in files) + (
        b"--XX--\r\n"
    )


def kind(answer: Any) -> tuple[int, str]:
    """Return the status and the name of a problem."""
    return answer.status_code, answer.json()["type"].removeprefix("urn:mammolens:")


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_study_of_dicomweb_client_is_read(small: TestClient, coding: str) -> None:
    body = parts(complete_exam_files(), "Content-Type: application/dicom")
    if coding == "gzip":
        body = gzip.compress(body, 1)

    answer = small.post(
        "/exam", content=body, headers={"content-type": RELATED, "content-encoding": coding}
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["exam"]["complete"] is True


def test_ninth_image_is_too_many(small: TestClient, lines: Lines) -> None:
    answer = small.post("/exam", files=as_form([b"x"] * 9))

    assert kind(answer) == (413, "too-many-images")
    assert answer.json()["max_exam_images"] == 8
    assert lines() == []


@pytest.mark.parametrize("declared", [True, False], ids=["length", "chunked"])
def test_exam_with_too_many_bytes_is_refused(small: TestClient, *, declared: bool) -> None:
    """Each of the four files has an allowed size."""
    header = 'Content-Disposition: form-data; name="file"'
    body = parts([bytes(280_000)] * 4, header)
    content = body if declared else iter([body])

    answer = small.post("/exam", content=content, headers={"content-type": FORM})

    assert kind(answer) == (413, "exam-too-large")
    assert answer.json()["max_exam_bytes"] == 900_000


def test_bytes_of_each_file_are_bounded(small: TestClient) -> None:
    answer = small.post("/exam", files=as_form([exam_file("L", "CC"), bytes(300_001)]))

    assert kind(answer) == (413, "upload-too-large")


@pytest.mark.parametrize("name", ["image", "R-XX", "r-mlo", "laterality", "Doe-Jane"])
def test_part_of_another_name_is_refused(small: TestClient, name: str) -> None:
    """Its file would be missing silently. The name is not repeated."""
    answer = small.post("/exam", files=as_form([exam_file("L", "CC")]) + as_form([b"x"], name))

    assert kind(answer) == (400, "malformed-upload")
    assert name not in answer.json()["detail"].replace("image", "") or name == "image"
    assert answer.json()["remedy"].endswith("/exam")


def test_form_without_files_is_refused(small: TestClient) -> None:
    answer = small.post("/exam", content=b"--XX--\r\n", headers={"content-type": FORM})

    assert kind(answer) == (400, "missing-file")


def test_raw_file_is_no_exam(small: TestClient) -> None:
    answer = small.post(
        "/exam", content=exam_file("L", "CC"), headers={"content-type": "application/dicom"}
    )

    assert kind(answer) == (415, "unsupported-media-type")
    assert "application/dicom" not in answer.json()["available_types"]


@pytest.mark.parametrize("route", ["/predict", "/gradcam", "/activations/conv2d"])
def test_routes_for_one_image_refuse_an_exam(small: TestClient, route: str) -> None:
    answer = small.post(route, files=as_form(complete_exam_files()[:2]))

    assert kind(answer) == (400, "malformed-upload")


def test_exam_writes_one_line_for_each_image(small: TestClient, lines: Lines) -> None:
    files = [exam_file("L", "CC"), b"no image", exam_file("R", "CC")]

    small.post("/exam", files=as_form(files), headers={"x-request-id": "exam-1"})

    written = lines()
    prints = [Audit(Path("/dev/null"), KEY).fingerprint(data) for data in files]
    assert [line["image"] for line in written] == prints
    assert [(line["outcome"], line["status"]) for line in written] == [
        ("ok", 200),
        ("unsupported-format", 415),
        ("ok", 200),
    ]
    assert {(line["exam"], line["request_id"], line["route"]) for line in written} == {
        ("exam-1", "exam-1", "/exam")
    }


def test_refused_exam_writes_the_problem_of_each_image(small: TestClient, lines: Lines) -> None:
    small.post("/exam", files=as_form([b"", b"no image"]))

    assert [line["outcome"] for line in lines()] == ["empty-image", "unsupported-format"]


def test_mixed_exam_writes_its_problem_for_each_image(small: TestClient, lines: Lines) -> None:
    small.post("/exam", files=as_form([exam_file("L", "CC"), exam_file("R", "CC", patient=2)]))

    written = [(line["outcome"], line["status"]) for line in lines()]
    assert written == [("mixed-exam", 422)] * 2


def test_image_alone_belongs_to_no_exam(small: TestClient, lines: Lines) -> None:
    small.post("/gradcam", files={"file": exam_file("L", "CC")})

    (line,) = lines()
    assert line["exam"] == "-"


def test_deadline_ends_the_exam(
    small: TestClient, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.pipeline.explain_exam", lambda *_: time.sleep(1.0))

    answer = small.post(
        "/exam", files=as_form(complete_exam_files()[:2]), headers={"request-timeout": "0.5"}
    )

    assert kind(answer) == (504, "deadline-passed")
    assert [line["outcome"] for line in lines()] == ["deadline-passed"] * 2


def test_metrics_count_each_answered_image(small: TestClient) -> None:
    def count(name: str) -> float:
        text = small.get("/metrics").text
        values = [line.split()[-1] for line in text.splitlines() if line.startswith(name)]
        return sum(map(float, values))

    names = ("mammolens_probability_count", 'mammolens_step_seconds_count{step="decode"}')
    before = [count(name) for name in names]

    small.post("/exam", files=as_form([*complete_exam_files()[:2], b"no image"]))

    assert [count(name) for name in names] == [value + 2 for value in before]
