"""The OpenAPI document of the application."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.api.openapi.examples import EXAM_PIXELS, EXAMPLES
from service.api.openapi.inference_body import SCHEMAS
from service.api.schemas import ExamPixelsAnswer, InferenceError, Problem

DESCRIPTION = """A mammogram goes in, an explained prediction comes out: a probability of cancer,
its origin in the image, the response of each convolutional layer, and how far the explanation can
be trusted.

Not a medical device. Every answer names its model. Errors are `application/problem+json` with a
stable `type` and a remedy.
"""
_CONTACT = {"name": "The maintainers of mammolens"}
_TAGS = [
    {"name": "Mammograms", "description": "Predict and explain one image, or an exam."},
    {
        "name": "Model",
        "description": "The model that is served: its facts, layers, tests and curves.",
    },
    {
        "name": "Open Inference Protocol",
        "description": "The same by tensors, as model platforms such as KServe and Triton speak. "
        "Errors have the protocol's shape.",
    },
    {"name": "Operation", "description": "For operators: health and metrics."},
]
_HEADERS = {
    "X-Request-ID": {
        "description": "ID of the request: the caller's own, if it is short and plain.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    },
    "Retry-After": {
        "description": "Seconds after which another try makes sense.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "How to authenticate: with a bearer token.",
        "schema": {"type": "string"},
    },
}
_HEADERS_OF_STATUS = {
    "401": ["WWW-Authenticate"],
    "429": ["Retry-After"],
    "503": ["Retry-After"],
    "504": ["Retry-After"],
}


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document. `Problem` is the schema of errors outside of /v2."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            contact=_CONTACT,
            license_info=app.license_info,
            servers=[{"url": "/", "description": "The service that answers with this document."}],
            tags=_TAGS,
            routes=app.routes,
        )
        schemas = document["components"]["schemas"]
        document["components"]["schemas"] = schemas | {
            name: schema for name, schema in _more_schemas().items() if name not in schemas
        }

        document["components"]["headers"] = _HEADERS
        for methods in document["paths"].values():
            for operation in methods.values():
                _declare_headers(operation)
                _show_example(operation)
        app.openapi_schema = document

    return app.openapi_schema


def _more_schemas() -> dict[str, Any]:
    """Return the schemas of errors, and of JSON that is a part of an answer."""
    template = "#/components/schemas/{model}"
    problem = Problem.model_json_schema(ref_template=template)
    pixels = ExamPixelsAnswer.model_json_schema(mode="serialization", ref_template=template)
    pixels["examples"] = [EXAM_PIXELS]

    defined: dict[str, Any] = problem.pop("$defs") | pixels.pop("$defs")
    inference = InferenceError.model_json_schema(ref_template=template)
    named = {"Problem": problem, "ExamPixelsAnswer": pixels, "InferenceError": inference}
    return defined | named | SCHEMAS


def _declare_headers(operation: dict[str, Any]) -> None:
    """Declare the headers that every answer of a status has, whatever the route."""
    for status, response in operation["responses"].items():
        names = ["X-Request-ID", *_HEADERS_OF_STATUS.get(status, ())]
        references = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
        response["headers"] = references | response.get("headers", {})


def _show_example(operation: dict[str, Any]) -> None:
    """Put the example into the answer. FastAPI would leave out its null members."""
    example = EXAMPLES.get(operation["operationId"])
    if example is not None:
        operation["responses"]["200"]["content"]["application/json"]["example"] = example
