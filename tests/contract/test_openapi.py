"""openapi/openapi.json is what the code says, and what it says is true of a running service."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.app import create_app
from service.settings import Settings

COMMITTED = Path("openapi/openapi.json")
OPERATIONS = {
    "predict", "show_activations", "explain", "describe_model", "list_layers", "show_scorecard", "check_alive",
    "check_ready", "read_metrics", "reload_model",
}  # fmt: skip


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(Settings()).openapi()


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]


def test_the_committed_document_is_the_code(document: dict[str, Any]) -> None:
    assert json.loads(COMMITTED.read_text("utf-8")) == document, (
        "run `make openapi` and commit the result"
    )


def test_every_operation_has_its_name(document: dict[str, Any]) -> None:
    assert {operation["operationId"] for operation in operations(document)} == OPERATIONS


def test_every_error_is_declared_as_the_problem_that_is_sent(document: dict[str, Any]) -> None:
    for operation in operations(document):
        for status, response in operation["responses"].items():
            if status != "200":
                (content,) = response["content"].items()
                assert content[0] == "application/problem+json"
                assert content[1]["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_route_shows_what_it_answers_and_pictures_are_binary(
    document: dict[str, Any],
) -> None:
    for operation in operations(document):
        content = operation["responses"]["200"]["content"]
        assert content
        if "image/png" in content:
            assert content["image/png"]["schema"] == {"type": "string", "format": "binary"}
        if "application/json" in content:
            assert (
                "example" in content["application/json"]
                or "examples" in content["application/json"]
            )


def test_every_upload_takes_a_form_and_raw_files(document: dict[str, Any]) -> None:
    for route in ("/predict", "/activations/{layer}", "/gradcam"):
        content = document["paths"][route]["post"]["requestBody"]["content"]
        assert next(iter(content)) == "multipart/form-data"
        assert {"application/dicom", "image/png", "image/jpeg", "image/tiff"} < set(content)


def test_examples_are_of_the_declared_shape(
    document: dict[str, Any], client: TestClient, mammogram_png: bytes
) -> None:
    for route, path in document["paths"].items():
        for method, operation in path.items():
            content = operation["responses"]["200"]["content"].get("application/json")
            if content is None:
                continue
            files = {"file": mammogram_png} if method == "post" else None
            answered = client.request(
                method, route.replace("{layer}", "conv2d"), files=files
            ).json()
            assert shape(content["example"]) == shape(answered), route


def shape(value: Any) -> Any:
    """The nested names of a JSON value; what is keyed by data (probabilities, figures, timings) counts as one.

    Without what is null in the example, since FastAPI leaves that out of the document.
    """
    if isinstance(value, dict):
        keyed_by_data, null_in_the_example = (
            {"probabilities", "figures", "timings_ms", "diagnostics"},
            {"derivation"},
        )
        return {
            name: None if name in keyed_by_data else shape(inner)
            for name, inner in value.items()
            if name not in null_in_the_example
        }
    return None
