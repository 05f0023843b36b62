"""Answers to inferences of the Open Inference Protocol are those of the other routes."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from service.api.app import create_app
from service.imaging import read
from service.model import FakeModel
from service.records import Floats, Pixels
from service.settings import FAKE, Settings
from tests.support.clients import until_ready
from tests.support.inference import fitted_in_binary, in_binary, in_json, outputs_of
from tests.support.paths import SAMPLE

MANIFEST = FakeModel.manifest
INFER = f"/v2/models/{MANIFEST.name}/infer"
VERSION = f"/v2/models/{MANIFEST.name}/versions/{MANIFEST.version}"


@pytest.fixture(scope="module")
def darker_png(breast: Pixels) -> bytes:
    """Another mammogram: the phantom mirrored, and without its mass."""
    return cv2.imencode(".png", np.minimum(breast[:, ::-1], 9_000))[1].tobytes()


@pytest.fixture(scope="module")
def fitted(mammogram_png: bytes) -> Floats:
    """The phantom on the model's grid, [1, height, width, 1]."""
    return read(mammogram_png, MANIFEST.preprocessing).fitted.image[None]


def test_prediction_is_that_of_predict(client: TestClient, mammogram_png: bytes) -> None:
    expected = client.post("/predict", files={"file": mammogram_png}).json()

    answer = client.post(INFER, **in_binary(mammogram_png))

    outputs = outputs_of(answer)
    told = expected["prediction"]
    assert outputs["probabilities"][0] == pytest.approx(
        list(told["probabilities"].values()), abs=1e-6
    )
    assert outputs["positive"].tolist() == [told["positive"]]
    assert outputs["label"] == [told["label"]]
    assert json.loads(outputs["warnings"][0]) == expected["warnings"]
    assert json.loads(outputs["diagnostics"][0]) == expected["diagnostics"]
    assert set(outputs) == {"probabilities", "positive", "label", "warnings", "diagnostics"}


def test_explanation_is_that_of_gradcam(client: TestClient, mammogram_png: bytes) -> None:
    expected = client.post("/gradcam", files={"file": mammogram_png}).json()

    parameters = {"explain": "grad-cam"}
    answer = client.post(INFER, **in_binary(mammogram_png, parameters=parameters))

    outputs = outputs_of(answer)
    explanation = json.loads(outputs["explanation"][0])
    assert outputs["heatmap"][0] == pytest.approx(np.array(expected["values"]), rel=1e-4)
    assert outputs["cell_to_source"][0] == pytest.approx(np.array(expected["cell_to_source"]))
    assert json.loads(outputs["diagnostics"][0]) == expected["diagnostics"]
    assert json.loads(outputs["warnings"][0]) == expected["warnings"]
    assert explanation == {name: expected[name] for name in explanation} | {
        "layer": expected["layer"]["name"]
    }


def test_json_and_binary_tensors_are_equal(client: TestClient, mammogram_png: bytes) -> None:
    every = {"explain": "grad-cam", "layer": "conv2d", "class": "no_cancer"}
    binary = {**every, "binary_data_output": True}

    in_text = outputs_of(client.post(INFER, json=in_json(mammogram_png, parameters=every)))
    in_bytes = outputs_of(client.post(INFER, **in_binary(mammogram_png, parameters=binary)))

    assert in_text.keys() == in_bytes.keys()
    for name, values in in_text.items():
        assert np.array_equal(values, in_bytes[name]), name


def test_answer_names_request_and_model(client: TestClient, mammogram_png: bytes) -> None:
    answer = client.post(f"{VERSION}/infer", json=in_json(mammogram_png, id="42")).json()

    assert answer["id"] == "42"
    assert (answer["model_name"], answer["model_version"]) == (MANIFEST.name, "1")
    assert answer["parameters"] == {
        "digest": FakeModel.digest,
        "intended_use": MANIFEST.intended_use,
        "positive_class": "cancer",
        "threshold": MANIFEST.threshold,
    }


def test_outputs_are_those_wanted(client: TestClient, mammogram_png: bytes) -> None:
    wanted = [
        {"name": "positive", "parameters": {"binary_data": True}},
        {"name": "probabilities"},
    ]

    answer = client.post(INFER, **in_binary(mammogram_png, outputs=wanted))

    assert list(outputs_of(answer)) == ["positive", "probabilities"]
    assert answer.headers["content-type"] == "application/octet-stream"


def test_several_images_are_answered_in_order(
    client: TestClient, mammogram_png: bytes, darker_png: bytes
) -> None:
    files = [mammogram_png, darker_png, mammogram_png]
    alone = [outputs_of(client.post(INFER, **in_binary(file))) for file in files]

    together = outputs_of(client.post(INFER, **in_binary(*files)))

    for name in ("probabilities", "positive", "label", "warnings", "diagnostics"):
        assert np.array_equal(together[name], [outputs[name][0] for outputs in alone]), name
    assert not np.array_equal(together["probabilities"][0], together["probabilities"][1])


def test_fitted_image_is_predicted_like_its_file(
    client: TestClient, mammogram_png: bytes, fitted: Floats
) -> None:
    of_file = outputs_of(client.post(INFER, **in_binary(mammogram_png)))

    outputs = outputs_of(client.post(INFER, **fitted_in_binary(fitted)))

    assert np.array_equal(outputs["probabilities"], of_file["probabilities"])
    codes = [warning["code"] for warning in json.loads(outputs["warnings"][0])]
    assert "fitted-by-caller" in codes


def test_fitted_image_is_explained_like_its_file(
    client: TestClient, mammogram_png: bytes, fitted: Floats
) -> None:
    """Cells lie on the grid in place of the file."""
    parameters = {"explain": "grad-cam"}
    of_file = outputs_of(client.post(INFER, **in_binary(mammogram_png, parameters=parameters)))

    answer = client.post(INFER, **fitted_in_binary(fitted, parameters=parameters))

    outputs = outputs_of(answer)
    layer = MANIFEST.layer(MANIFEST.default_layer).receptive_field
    assert np.array_equal(outputs["heatmap"], of_file["heatmap"])
    assert outputs["cell_to_source"][0] == pytest.approx(np.array(layer.to_input().matrix()))


@pytest.mark.parametrize("nested", [True, False])
def test_fitted_images_are_taken_as_json(
    client: TestClient, fitted: Floats, *, nested: bool
) -> None:
    expected = outputs_of(client.post(INFER, **fitted_in_binary(fitted)))
    data = fitted.tolist() if nested else fitted.ravel().tolist()
    tensor = {"name": "fitted", "shape": list(fitted.shape), "datatype": "FP32", "data": data}

    outputs = outputs_of(client.post(INFER, json={"inputs": [tensor]}))

    assert np.array_equal(outputs["probabilities"], expected["probabilities"])


def test_named_side_is_compared_with_header(client: TestClient) -> None:
    sample = SAMPLE.read_bytes()
    side = client.post("/predict", files={"file": sample}).json()["image"]["laterality"]
    parameters = {"laterality": "L" if side == "R" else "R"}

    outputs = outputs_of(client.post(INFER, **in_binary(sample, parameters=parameters)))

    codes = [warning["code"] for warning in json.loads(outputs["warnings"][0])]
    assert "caller-contradicted" in codes


def test_metadata_describe_the_outputs(client: TestClient, mammogram_png: bytes) -> None:
    parameters = {"explain": "occlusion"}
    outputs = outputs_of(client.post(INFER, **in_binary(mammogram_png, parameters=parameters)))

    facts = client.get(VERSION).json()

    described = {tensor["name"]: tensor["shape"] for tensor in facts["outputs"]}
    assert described.keys() == outputs.keys()
    for name, values in outputs.items():
        shape = np.array(values).shape
        assert len(shape) == len(described[name])
        assert all(size in (-1, told) for size, told in zip(described[name], shape, strict=True))
    assert facts["properties"]["digest"] == FakeModel.digest


def test_explanation_takes_its_own_lane(client: TestClient, mammogram_png: bytes) -> None:
    def taken(lane: str) -> float:
        text = client.get("/metrics").text
        name = f'mammolens_queue_wait_seconds_count{{lane="{lane}"}}'
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))

    before = taken("predict"), taken("explain")
    client.post(INFER, **in_binary(mammogram_png))
    client.post(INFER, **in_binary(mammogram_png, parameters={"explain": "layer-cam"}))

    assert (taken("predict"), taken("explain")) == (before[0] + 1, before[1] + 1)


def test_each_image_is_audited(tmp_path: Path, mammogram_png: bytes, darker_png: bytes) -> None:
    log = tmp_path / "audit.jsonl"
    key = SecretStr("a key of more than thirty-two characters")
    files = [mammogram_png, b"no image", darker_png]
    app = create_app(Settings(model=FAKE, audit_log=log, audit_key=key))
    with TestClient(app) as client:
        until_ready(client)
        answers = [client.post(INFER, **in_binary(*sent)) for sent in (files, files[::2])]

    lines: list[dict[str, Any]] = list(map(json.loads, log.read_text().splitlines()))
    assert [answer.status_code for answer in answers] == [422, 200]
    assert [line["outcome"] for line in lines] == [
        "images-refused", "unsupported-format", "images-refused", "ok", "ok",
    ]  # fmt: skip
    assert len({line["image"] for line in lines}) == 3
    assert {line["route"] for line in lines} == {"/v2/models/{name}/infer"}
