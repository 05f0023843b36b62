"""The OpenAPI document of the application."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.api.schemas import Problem

DESCRIPTION = """A mammogram goes in, an explained prediction comes out: a probability of cancer,
its origin in the image, the response of each convolutional layer, and how far the explanation can
be trusted.

Not a medical device. Every answer names its model. Errors are `application/problem+json` with a
stable `type` and a remedy.
"""


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, in which `Problem` is the one schema of errors."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            license_info=app.license_info,
            routes=app.routes,
        )
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        document["components"]["schemas"] |= problem.pop("$defs") | {"Problem": problem}
        app.openapi_schema = document

    return app.openapi_schema
