import logging
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.types import Message

from service import pipeline
from service.observability import logs


def access(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The fields of every access line."""
    return [
        vars(record)["fields"] for record in caplog.records if record.name == "mammolens.access"
    ]


@pytest.mark.parametrize("offered", ["a", "1.2-3_Z", "x" * 64])
def test_a_harmless_request_id_is_the_callers_own(client: TestClient, offered: str) -> None:
    answer = client.get("/none", headers={"x-request-id": offered})
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == offered


@pytest.mark.parametrize("offered", ["", "x" * 65, "Doe^Jane", "a b", "ü", "a\tb", "../a"])
def test_any_other_request_id_is_replaced(client: TestClient, offered: str) -> None:
    answer = client.get("/none", headers={b"x-request-id": offered.encode("latin-1")})
    assert answer.headers["x-request-id"] == answer.json()["request_id"] != offered
    assert len(answer.headers["x-request-id"]) == 32


def test_every_answer_has_its_request_id(
    client: TestClient, mammogram_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [
        client.get("/livez"),
        client.get("/none"),
        client.delete("/predict"),
        client.get("/metrics"),
    ]
    answers.append(client.post("/predict", files={"file": mammogram_png}))
    monkeypatch.delattr(pipeline, "predict")
    answers.append(client.post("/predict", files={"file": mammogram_png}))
    assert [answer.status_code for answer in answers] == [200, 404, 405, 200, 200, 500]
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


def test_a_request_s_id_is_known_where_it_is_worked_on(
    client: TestClient, mammogram_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[str | None] = []
    predict = pipeline.predict

    def tell(*arguments: Any) -> pipeline.ImagePrediction:
        known.append(logs.REQUEST_ID.get())
        return predict(*arguments)

    monkeypatch.setattr(pipeline, "predict", tell)
    client.post("/predict", files={"file": mammogram_png}, headers={"x-request-id": "mine"})
    assert known == ["mine"]


def test_each_request_is_one_line_with_what_became_of_it(
    client: TestClient, mammogram_png: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        client.post("/predict", content=mammogram_png, headers={"content-type": "image/png"})
        client.post("/activations/none", files={"file": mammogram_png})
        client.request("BREW", "/predict")
    fine, refused, odd = access(caplog)
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


def test_a_fault_of_ours_is_logged_as_one(
    client: TestClient,
    mammogram_png: bytes,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(pipeline, "predict")
    with caplog.at_level(logging.INFO):
        client.post("/predict", files={"file": mammogram_png})
    (line,) = access(caplog)
    assert (line["status"], line["problem"]) == (500, "internal-error")


async def _leave_after_a_part(app: FastAPI) -> None:
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
        "headers": [(b"content-type", b"image/png")],
        "http_version": "1.1",
        "scheme": "http",
    }
    await app(scope, receive, send)


def test_a_caller_that_left_before_the_answer_is_logged_as_that(
    app: FastAPI, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.portal is not None
    with caplog.at_level(logging.INFO):
        client.portal.call(_leave_after_a_part, app)
    (line,) = access(caplog)
    assert (line["status"], line["problem"], line["received_bytes"]) == (499, "abandoned", 6)
