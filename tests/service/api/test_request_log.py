"""Request IDs and the access log."""

import logging
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.types import Message

from service import pipeline
from service.observability import logs


def access_lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the fields of every access line."""
    return [
        vars(record)["fields"] for record in caplog.records if record.name == "mammolens.access"
    ]


@pytest.mark.parametrize("offered", ["a", "1.2-3_Z", "x" * 64])
def test_harmless_request_id_is_kept(client: TestClient, offered: str) -> None:
    answer = client.get("/none", headers={"x-request-id": offered})

    assert answer.headers["x-request-id"] == answer.json()["request_id"] == offered


@pytest.mark.parametrize("offered", ["", "x" * 65, "Doe^Jane", "a b", "ü", "a\tb", "../a"])
def test_other_request_ids_are_replaced(client: TestClient, offered: str) -> None:
    answer = client.get("/none", headers={b"x-request-id": offered.encode("latin-1")})

    assert answer.headers["x-request-id"] == answer.json()["request_id"] != offered
    assert len(answer.headers["x-request-id"]) == 32


def test_every_answer_has_a_unique_request_id(
    client: TestClient, mammogram_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An internal error has one, too."""
    answers = [
        client.get("/livez"),
        client.get("/none"),
        client.delete("/predict"),
        client.get("/metrics"),
        client.post("/predict", files={"file": mammogram_png}),
    ]
    monkeypatch.delattr(pipeline, "predict")
    answers.append(client.post("/predict", files={"file": mammogram_png}))

    assert [answer.status_code for answer in answers] == [200, 404, 405, 200, 200, 500]
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


def test_request_id_reaches_the_worker_thread(
    client: TestClient, mammogram_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids: list[str | None] = []
    predict = pipeline.predict

    def note_id(*arguments: Any) -> pipeline.ImagePrediction:
        ids.append(logs.REQUEST_ID.get())
        return predict(*arguments)

    monkeypatch.setattr(pipeline, "predict", note_id)
    client.post("/predict", files={"file": mammogram_png}, headers={"x-request-id": "mine"})

    assert ids == ["mine"]


def test_each_request_logs_one_line_with_outcome(
    client: TestClient, mammogram_png: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        client.post("/predict", content=mammogram_png, headers={"content-type": "image/png"})
        client.post("/activations/none", files={"file": mammogram_png})
        client.request("BREW", "/predict")

    fine, refused, odd = access_lines(caplog)
    assert fine.pop("duration_ms") > 0
    assert fine == {
        "method": "POST",
        "route": "/predict",
        "status": 200,
        "problem": "-",
        "caller": "anonymous",
        "received_bytes": len(mammogram_png),
    }

    assert (refused["route"], refused["status"], refused["problem"]) == (
        "/activations/{layer}",
        404,
        "unknown-layer",
    )

    assert (odd["method"], odd["status"]) == ("other", 405)


def test_internal_error_is_logged_as_such(
    client: TestClient,
    mammogram_png: bytes,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(pipeline, "predict")

    with caplog.at_level(logging.INFO):
        client.post("/predict", files={"file": mammogram_png})

    (line,) = access_lines(caplog)
    assert (line["status"], line["problem"]) == (500, "internal-error")


async def _disconnect_during_upload(app: FastAPI) -> None:
    """Send the first part of a body and disconnect."""
    messages: list[Message] = [
        {"type": "http.request", "body": b"a part", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    async def send(_: Message) -> None:
        return None

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/predict",
        "raw_path": b"/predict",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"image/png")],
        "http_version": "1.1",
        "scheme": "http",
    }
    await app(scope, receive, send)


def test_client_disconnect_is_logged_as_abandoned(
    app: FastAPI, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.portal is not None

    with caplog.at_level(logging.INFO):
        client.portal.call(_disconnect_during_upload, app)

    (line,) = access_lines(caplog)
    assert (line["status"], line["problem"], line["received_bytes"]) == (499, "abandoned", 6)
