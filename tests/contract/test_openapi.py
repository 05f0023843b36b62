"""The OpenAPI document: openapi/openapi.json matches the code, and its examples the answers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from service.api.app import create_app
from service.api.upload.body_types import MULTIPART, RAW, RELATED
from service.model import FakeModel
from service.settings import Settings
from tests.support.inference import in_json
from tests.support.level_facts import curves
from tests.support.pixel_forms import take_apart

COMMITTED = Path("openapi/openapi.json")
OPERATIONS = {
    "predict", "show_activations", "draw_activations", "draw_activations_jpeg",
    "draw_activations_webp", "explain", "explain_picture", "explain_jpeg", "explain_webp",
    "explain_exam", "explain_exam_pixels", "explain_object", "explain_exam_objects",
    "describe_model", "list_layers", "show_curves", "show_scorecard",
    "check_alive", "check_ready", "read_metrics", "reload_model",
    "check_server_live", "check_server_ready", "describe_server", "describe_inference_model",
    "describe_inference_version", "check_model_ready", "check_version_ready", "infer",
    "infer_version",
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


def test_document_follows_the_specification(document: dict[str, Any]) -> None:
    validate(document)


def every_object(part: Any) -> Iterator[dict[str, Any]]:
    """Yield every object within a part of the document."""
    if isinstance(part, dict):
        yield part
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from every_object(inner)


def schemas_with_examples(document: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Yield every schema of the document that has an example, with the example."""
    for part in every_object(document):
        examples = part.get("examples")
        if "schema" in part and "example" in part:
            yield part["schema"], part["example"]
        elif "schema" in part and isinstance(examples, dict):
            for example in examples.values():
                yield part["schema"], example["value"]
        elif isinstance(examples, list):
            for example in examples:
                yield part, example


def test_examples_follow_their_schemas(document: dict[str, Any]) -> None:
    pairs = list(schemas_with_examples(document))

    assert len(pairs) > 100
    for schema, example in pairs:
        OAS31Validator({**schema, "components": document["components"]}).validate(example)


def test_example_that_lacks_a_member_is_refused(document: dict[str, Any]) -> None:
    answer = document["paths"]["/gradcam"]["post"]["responses"]["200"]["content"]
    content = answer["application/json"]
    shortened = {name: value for name, value in content["example"].items() if name != "note"}

    schema = {**content["schema"], "components": document["components"]}
    assert not OAS31Validator(schema).is_valid(shortened)


@pytest.mark.parametrize("route", ["/predict", "/gradcam", "/gradcam.png", "/gradcam.webp"])
def test_bounds_of_the_deadline_are_json_schema(document: dict[str, Any], route: str) -> None:
    parameters = document["paths"][route]["post"]["parameters"]
    (schema,) = [part["schema"] for part in parameters if part["name"] == "Request-Timeout"]

    validator = OAS31Validator(schema)
    assert [validator.is_valid(seconds) for seconds in (0, 0.001, 3600, 3600.5, "5", None)] == [
        False, True, True, False, False, False,
    ]  # fmt: skip


def test_pattern_of_the_size_reaches_the_document(document: dict[str, Any]) -> None:
    parameters = document["paths"]["/gradcam"]["post"]["parameters"]
    (schema,) = [part["schema"] for part in parameters if part["name"] == "size"]

    validator = OAS31Validator(schema)
    assert [validator.is_valid(size) for size in ("source", "512", "0", "big", "1e3")] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_arrays_name_the_type_of_items(document: dict[str, Any]) -> None:
    """Generators of clients make arrays of anything from `prefixItems`."""
    arrays = [part for part in every_object(document) if part.get("type") == "array"]
    region = document["components"]["schemas"]["Region"]["properties"]

    assert len(arrays) > 10
    assert all({"type", "$ref", "anyOf"} & part["items"].keys() for part in arrays)
    assert (region["box"]["minItems"], region["box"]["maxItems"]) == (4, 4)
    assert region["box"]["items"] == {"type": "number"}
    assert (region["peak"]["minItems"], region["peak"]["maxItems"]) == (2, 2)


def test_only_health_is_open_to_callers_without_key(document: dict[str, Any]) -> None:
    security = {
        route: operation["security"]
        for route, methods in document["paths"].items()
        for operation in methods.values()
    }

    assert {route for route, needed in security.items() if needed == []} == {
        "/livez", "/readyz", "/v2/health/live", "/v2/health/ready",
    }  # fmt: skip


def test_tags_are_defined_with_descriptions(document: dict[str, Any]) -> None:
    used = {tag for operation in operations(document) for tag in operation["tags"]}

    assert {tag["name"] for tag in document["tags"] if tag["description"]} == used


def test_headers_of_answers_are_declared(document: dict[str, Any]) -> None:
    retried = {"429", "503", "504"}

    for operation in operations(document):
        for status, response in operation["responses"].items():
            declared = response["headers"].keys()
            assert "X-Request-ID" in declared
            assert ("Retry-After" in declared) == (status in retried)
            assert ("WWW-Authenticate" in declared) == (status == "401")


def test_operation_ids_are_stable(document: dict[str, Any]) -> None:
    assert {operation["operationId"] for operation in operations(document)} == OPERATIONS


def test_errors_are_declared_as_problems(document: dict[str, Any]) -> None:
    """Below /v2 they have the shape of the Open Inference Protocol."""
    for path, methods in document["paths"].items():
        expected = ("application/problem+json", "Problem")
        if path.startswith("/v2"):
            expected = ("application/json", "InferenceError")

        for operation in methods.values():
            for status, response in operation["responses"].items():
                if status != "200":
                    (content,) = response["content"].items()
                    assert content[0] == expected[0]
                    assert content[1]["schema"] == {"$ref": f"#/components/schemas/{expected[1]}"}

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
        assert set(content) == {MULTIPART, RELATED, *RAW}


def test_examples_have_the_shape_of_answers(
    document: dict[str, Any],
    client: TestClient,
    mammogram_png: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The fake model has no curves of its own."""
    monkeypatch.setattr(FakeModel, "curves", curves(exam=True))

    for route, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation["responses"]["200"]["content"].get("application/json")
            if content is None:
                continue

            path = route.replace("{layer}", "conv2d")
            path = path.replace("{name}", FakeModel.manifest.name).replace("{version}", "1")
            answer = client.request(method, path, **sent(route, method, mammogram_png)).json()
            assert shape(content["example"]) == shape(answer), route


def sent(route: str, method: str, image: bytes) -> dict[str, Any]:
    """Return the arguments of a request with the image, for a route that takes one."""
    if method == "get":
        return {}
    if route.endswith("/infer"):
        return {"json": in_json(image)}
    return {"files": {"R-MLO" if route == "/exam" else "file": image}}


def test_example_of_pixels_has_shape_of_answers(
    document: dict[str, Any], client: TestClient, mammogram_png: bytes
) -> None:
    (example,) = document["components"]["schemas"]["ExamPixelsAnswer"]["examples"]

    answer = client.post("/exam/pixels", params={"heat": "all"}, files={"R-MLO": mammogram_png})

    told = take_apart(answer.headers["content-type"], answer.content).answer
    assert shape(example) == shape(told)
    assert shape(example["pixels"][0]) == shape(told["pixels"][0])


def shape(value: Any) -> Any:
    """Return the nested names of a JSON value.

    Objects keyed by data (probabilities, figures, timings) count as one name. Facts that the fake
    model lacks are left out.
    """
    keyed_by_data = {
        "probabilities", "figures", "timings_ms", "diagnostics", "by_views", "properties",
    }  # fmt: skip
    left_out = {"effective_size", "sensitivity", "specificity", "provenance"}

    if isinstance(value, dict):
        return {
            name: None if name in keyed_by_data else shape(inner)
            for name, inner in value.items()
            if name not in left_out
        }
    return None
