"""Errors in the OpenAPI document."""

from collections.abc import Sequence
from typing import Any

from service.api.problems.http_errors import InternalError
from service.api.problems.problem_types import members, status_of
from service.errors import MammolensError

MEDIA_TYPE = "application/problem+json"
JSON = "application/json"


def document(*classes: type[MammolensError]) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses for those errors, and for the one that any route can have.

    There is one per status, with an example per class.
    """
    by_status = _by_status(classes)
    return {status: _response(by_status[status]) for status in sorted(by_status)}


def document_inference(*classes: type[MammolensError]) -> dict[int | str, dict[str, Any]]:
    """Return the same for a route of the Open Inference Protocol, whose errors have one member."""
    by_status = _by_status(classes)
    return {status: _inference_response(by_status[status]) for status in sorted(by_status)}


def _by_status(classes: Sequence[type[MammolensError]]) -> dict[int, list[type[MammolensError]]]:
    by_status: dict[int, list[type[MammolensError]]] = {}
    for cls in (*classes, InternalError):
        by_status.setdefault(int(status_of(cls)), []).append(cls)
    return by_status


def _response(classes: Sequence[type[MammolensError]]) -> dict[str, Any]:
    examples = {cls.slug: {"value": members(cls, f"{cls.title}.")} for cls in classes}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": _titles(classes),
        "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }


def _inference_response(classes: Sequence[type[MammolensError]]) -> dict[str, Any]:
    examples = {cls.slug: {"value": {"error": f"{cls.title}. {cls.remedy}"}} for cls in classes}
    schema = {"$ref": "#/components/schemas/InferenceError"}
    return {
        "description": _titles(classes),
        "content": {JSON: {"schema": schema, "examples": examples}},
    }


def _titles(classes: Sequence[type[MammolensError]]) -> str:
    return "; ".join(cls.title for cls in classes) + "."
