"""Objects for archives as answers in the OpenAPI document, alone or as parts of one body."""

from typing import Any

from service.api import responses
from service.api.negotiation import MediaType

_BINARY = {"type": "string", "format": "binary"}


def document_object(description: str) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI response of a route that answers with one object."""
    return _document(description, MediaType.DICOM)


def document_objects(description: str) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI response of a route that answers with several objects."""
    return _document(description, MediaType.RELATED)


def _document(description: str, media_type: MediaType) -> dict[int | str, dict[str, Any]]:
    content = {media_type.value: {"schema": _BINARY}}
    headers = responses.PICTURE_HEADERS
    return {200: {"description": description, "content": content, "headers": headers}}
