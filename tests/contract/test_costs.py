"""Requests that no deadline allows are refused before anything is computed."""

import logging
import time
from collections.abc import Iterator
from logging.handlers import QueueHandler
from queue import SimpleQueue
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.app import create_app
from service.model import FakeModel
from service.runtime import batch_limit
from service.settings import FAKE, Settings
from tests.support.exam_files import as_form
from tests.support.logs import told_to

PASS_SECONDS = 0.02
DEADLINE_SECONDS = 5.0


@pytest.fixture(scope="module")
def calls() -> Iterator[list[str]]:
    """Names of the calls of the fake model, whose passes of an image take 20 ms each."""
    names: list[str] = []

    def slow(name: str, passes: int) -> None:
        original = getattr(FakeModel, name)

        def call(self: FakeModel, *arguments: Any) -> Any:
            names.append(name)
            images = next(value for value in arguments if not isinstance(value, str))
            time.sleep(PASS_SECONDS * passes * len(images))
            return original(self, *arguments)

        patch.setattr(FakeModel, name, call)

    with pytest.MonkeyPatch.context() as patch:
        slow("predict", 1)
        slow("activations", 1)
        slow("layer_gradients", 2)
        slow("input_gradients", 2)
        yield names


@pytest.fixture(scope="module")
def slow_client(calls: list[str]) -> Iterator[TestClient]:
    """Client of a service whose passes have been measured, which its log tells."""
    measured: SimpleQueue[logging.LogRecord] = SimpleQueue()
    log = logging.getLogger(batch_limit.__name__)
    app = create_app(Settings(model=FAKE, deadline_seconds=DEADLINE_SECONDS))

    with (
        told_to(QueueHandler(measured), log),
        TestClient(app, raise_server_exceptions=False) as client,
    ):
        measured.get(timeout=30)
        calls.clear()
        yield client


def test_hopeless_method_is_refused_before_any_pass(
    slow_client: TestClient, calls: list[str], mammogram_png: bytes
) -> None:
    """259 passes of 20 ms take 5.2 s."""
    before = list(calls)

    refused = slow_client.post(
        "/gradcam", params={"method": "integrated-gradients"}, files={"file": mammogram_png}
    )

    problem = refused.json()
    assert (refused.status_code, problem["type"]) == (422, "urn:mammolens:too-costly")
    assert problem["passes"] == 2 * 128 + 3
    assert problem["deadline_seconds"] == DEADLINE_SECONDS
    assert problem["estimated_seconds"] >= PASS_SECONDS * 259 > DEADLINE_SECONDS
    assert "259 passes" in problem["detail"]
    assert calls == before

    metrics = slow_client.get("/metrics").text
    assert 'mammolens_refused_total{lane="explain",reason="cost"} 1.0' in metrics


@pytest.mark.parametrize("route", ["/predict", "/gradcam", "/activations/conv2d"])
def test_ordinary_requests_are_answered_by_slow_model(
    slow_client: TestClient, mammogram_png: bytes, route: str
) -> None:
    answer = slow_client.post(route, files={"file": mammogram_png})

    assert answer.status_code == 200


def test_shorter_deadline_of_the_caller_counts(
    slow_client: TestClient, mammogram_png: bytes
) -> None:
    """Full diagnostics take 70 passes of 20 ms, 1.4 s."""
    refused = slow_client.post(
        "/gradcam",
        params={"diagnostics": "full"},
        files={"file": mammogram_png},
        headers={"Request-Timeout": "1"},
    )

    assert refused.status_code == 422
    assert (refused.json()["passes"], refused.json()["deadline_seconds"]) == (70, 1)


def test_exam_costs_the_passes_of_all_images(slow_client: TestClient, mammogram_png: bytes) -> None:
    """70 passes of 20 ms take 1.4 s, and those of four images 5.6 s."""
    query = {"diagnostics": "full"}

    refused = slow_client.post("/exam", params=query, files=as_form([mammogram_png] * 4))

    problem = refused.json()
    assert (refused.status_code, problem["type"]) == (422, "urn:mammolens:too-costly")
    assert problem["passes"] == 4 * 70
