"""The OpenAPI document: openapi/openapi.json matches the code, and its examples the answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.app import create_app
from service.settings import Settings

COMMITTED = Path("openapi/openapi.json")
OPERATIONS = {
    "predict", "show_activations", "draw_activations", "explain", "explain_picture",
    "describe_model", "list_layers", "show_scorecard",
    "check_alive", "check_ready", "read_metrics", "reload_model",
}  # fmt: skip


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(Settings()).openapi()


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]


def test_committed_document_matches_the_code(document: dict[str, Any]) -> None:
    assert json.loads(COMMITTED.read_text("utf-8")) == document, (
        "run `make openapi` and commit the result"
    )


def test_operation_ids_are_stable(document: dict[str, Any]) -> None:
    assert {operation["operationId"] for operation in operations(document)} == OPERATIONS


def test_errors_are_declared_as_problems(document: dict[str, Any]) -> None:
    for operation in operations(document):
        for status, response in operation["responses"].items():
            if status != "200":
                (content,) = response["content"].items()
                assert content[0] == "application/problem+json"
                assert content[1]["schema"] == {"$ref": "#/components/schemas/Problem"}

    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_answers_have_examples_and_pictures_are_binary(document: dict[str, Any]) -> None:
    for operation in operations(document):
        content = operation["responses"]["200"]["content"]

        assert content
        if "image/png" in content:
            assert content["image/png"]["schema"] == {"type": "string", "format": "binary"}
        if "application/json" in content:
            assert {"example", "examples"} & content["application/json"].keys()


def test_uploads_accept_forms_and_raw_files(document: dict[str, Any]) -> None:
    for route in ("/predict", "/activations/{layer}", "/gradcam"):
        content = document["paths"][route]["post"]["requestBody"]["content"]

        assert next(iter(content)) == "multipart/form-data"
        assert {
            "application/dicom",
            "image/png",
            "image/jpeg",
            "image/tiff",
            "multipart/related",
        } < set(content)


def test_examples_have_the_shape_of_answers(
    document: dict[str, Any], client: TestClient, mammogram_png: bytes
) -> None:
    for route, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation["responses"]["200"]["content"].get("application/json")
            if content is None:
                continue

            files = {"file": mammogram_png} if method == "post" else None
            path = route.replace("{layer}", "conv2d")
            answer = client.request(method, path, files=files).json()
            assert shape(content["example"]) == shape(answer), route


def shape(value: Any) -> Any:
    """Return the nested names of a JSON value.

    Objects keyed by data (probabilities, figures, timings) count as one name. Names whose value is
    null in the example are left out, since FastAPI leaves them out of the document. Facts that the
    fake model lacks are left out, too.
    """
    keyed_by_data = {"probabilities", "figures", "timings_ms", "diagnostics", "by_views"}
    left_out = {"derivation", "note", "effective_size", "sensitivity", "specificity", "provenance"}

    if isinstance(value, dict):
        return {
            name: None if name in keyed_by_data else shape(inner)
            for name, inner in value.items()
            if name not in left_out
        }
    return None
