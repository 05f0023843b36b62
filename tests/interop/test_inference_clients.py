"""Clients of the Open Inference Protocol call every route of a running server."""

import json
import subprocess
from typing import Any

import httpx2
import numpy as np
import pytest

from benchmarks.load.peers.starts import install
from tests.contract.test_kserve import PREDICTOR, SERVICE
from tests.support.paths import DEMO, ROOT, SAMPLE
from tests.support.servers import running

pytestmark = pytest.mark.interop

SCRIPT = ROOT / "tests" / "interop" / "clients" / "inference_clients.py"


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """What the clients were told, and what /predict and /gradcam say."""
    python = install("inference-clients")
    with running(MAMMOLENS_MODEL=str(DEMO.parent)) as server:
        done = subprocess.run(
            [python, SCRIPT, server.address, "demo", SAMPLE],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        files = {"file": SAMPLE.read_bytes()}
        explained = httpx2.post(f"{server.address}/gradcam", files=files, timeout=30).json()

    told: dict[str, Any] = json.loads(done.stdout)
    return told | {"gradcam": explained}


@pytest.mark.parametrize("client", ["triton", "kserve"])
def test_health_and_metadata_are_read(answers: dict[str, Any], client: str) -> None:
    told = answers[client]

    *healthy, other = told["health"]
    assert healthy
    assert all(healthy)
    assert not other
    assert set(told["models"]) == {"demo"}


@pytest.mark.parametrize("client", ["triton", "kserve"])
def test_predictions_are_those_of_the_service(answers: dict[str, Any], client: str) -> None:
    prediction = answers["gradcam"]["prediction"]
    expected = list(prediction["probabilities"].values())

    told = answers[client]

    assert len(told["probabilities"]) >= 3
    for probabilities in told["probabilities"]:
        assert probabilities[0] == pytest.approx(expected, abs=1e-6)
    assert told["label"] == prediction["label"]


@pytest.mark.parametrize("client", ["triton", "kserve"])
def test_heatmaps_are_those_of_the_service(answers: dict[str, Any], client: str) -> None:
    expected = np.array(answers["gradcam"]["values"])

    (heatmap,) = answers[client]["heatmap"]

    assert np.array(heatmap) == pytest.approx(expected, rel=1e-4, abs=1e-4 * expected.max())


def test_error_reaches_the_client_of_triton(answers: dict[str, Any]) -> None:
    status, message = answers["triton"]["error"]

    assert status == "400"
    assert "'grad-cam'" in message


def test_manifest_has_members_that_kserve_knows(answers: dict[str, Any]) -> None:
    assert SERVICE["spec"].keys() <= set(answers["parts"])
    assert PREDICTOR.keys() <= set(answers["members"])
