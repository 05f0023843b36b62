"""Answers below /v2 follow the OpenAPI document that the Open Inference Protocol publishes."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from openapi_schema_validator import OAS30Validator
from ruamel.yaml import YAML

from service.api.app import create_app
from service.api.inference.model_metadata import describe
from service.model import FakeModel
from service.settings import Settings
from tests.support.inference import in_json

PUBLISHED: dict[str, Any] = YAML(typ="safe").load(
    (Path(__file__).parent / "published" / "open_inference_rest.yaml").read_text("utf-8")
)
SCHEMAS = PUBLISHED["components"]["schemas"]
NAME = FakeModel.manifest.name
MODEL = f"/v2/models/{NAME}"
VERSION = f"{MODEL}/versions/1"


def check(instance: Any, schema: str) -> None:
    """Hold an answer against a published schema. All of its members are told there."""
    validator = OAS30Validator({"$ref": f"#/components/schemas/{schema}", **PUBLISHED})
    validator.validate(instance)
    assert instance.keys() <= SCHEMAS[schema]["properties"].keys()


def test_every_published_route_is_served() -> None:
    document = create_app(Settings()).openapi()
    served = {(path, method) for path, methods in document["paths"].items() for method in methods}

    published = {
        (path.replace("${MODEL_NAME}", "{name}").replace("${MODEL_VERSION}", "{version}"), method)
        for path, methods in PUBLISHED["paths"].items()
        for method in methods
        if method != "parameters"
    }

    assert {(path.rstrip("/"), method) for path, method in published} <= served


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/v2", "metadata_server_response"),
        ("/v2/", "metadata_server_response"),
        (MODEL, "metadata_model_response"),
        (VERSION, "metadata_model_response"),
    ],
)
def test_metadata_follow_the_published_schemas(client: TestClient, path: str, schema: str) -> None:
    check(client.get(path).json(), schema)


@pytest.mark.parametrize("path", [MODEL, VERSION])
@pytest.mark.parametrize("parameters", [{}, {"explain": "grad-cam"}])
def test_inference_follows_the_published_schema(
    client: TestClient, mammogram_png: bytes, path: str, parameters: dict[str, Any]
) -> None:
    request = in_json(mammogram_png, id="a", parameters=parameters)
    check(request, "inference_request")

    answer = client.post(f"{path}/infer", json=request).json()

    check(answer, "inference_response")


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/v2?x=1", "metadata_server_error_response"),
        ("/v2/models/other", "metadata_model_error_response"),
        ("/v2/models/other/infer", "inference_error_response"),
    ],
)
def test_errors_follow_the_published_schemas(client: TestClient, path: str, schema: str) -> None:
    answer = client.post(path) if path.endswith("infer") else client.get(path)

    assert answer.status_code >= 400
    check(answer.json(), schema)


@pytest.mark.parametrize(
    ("engine", "platform"),
    [("tensorflow", "tensorflow_savedmodel"), ("onnx", "onnx_onnxv1")],
)
def test_platform_is_that_of_the_engine(engine: str, platform: str) -> None:
    assert describe(FakeModel(), engine).platform == platform


def test_health_tells_live_and_ready(client: TestClient) -> None:
    answers = [
        client.get(path).json()
        for path in ("/v2/health/live", "/v2/health/ready", f"{MODEL}/ready", f"{VERSION}/ready")
    ]

    named = {"name": NAME, "ready": True}
    assert answers == [{"live": True}, {"ready": True}, named, named]
