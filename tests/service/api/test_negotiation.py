"""Negotiation of the answer's media type."""

import pytest
from fastapi import Request

from service.api.negotiation import MediaType, negotiate
from service.errors import NotAcceptable


def request_accepting(*accept: str) -> Request:
    """Return a request with these Accept headers."""
    return Request({"type": "http", "headers": [(b"accept", value.encode()) for value in accept]})


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ((), MediaType.JSON),
        (("*/*",), MediaType.JSON),
        (("image/png",), MediaType.PNG),
        (("image/*",), MediaType.PNG),
        (("IMAGE/PNG",), MediaType.PNG),
        (("application/json;q=0.4, image/png;q=0.9",), MediaType.PNG),
        (("application/json;q=0.4", "image/png;q=0.9"), MediaType.PNG),
        (("text/html, image/png;q=0.5, */*;q=0.1",), MediaType.PNG),
        (("image/png, application/json",), MediaType.JSON),
        (("application/json;q=0, */*",), MediaType.PNG),
        (("image/png;q=high",), MediaType.PNG),
        (("application/problem+json",), MediaType.JSON),
        (("image/png, application/problem+json",), MediaType.PNG),
    ],
)
def test_preferred_type_is_chosen(accept: tuple[str, ...], expected: MediaType) -> None:
    request = request_accepting(*accept)

    assert negotiate(request, MediaType.JSON, MediaType.PNG) is expected


def test_type_of_problems_leaves_answers_open() -> None:
    """Clients that prefer any JSON accept the problem alone on a path of pictures."""
    request = request_accepting("application/problem+json;q=0.9")

    assert negotiate(request, MediaType.PNG) is MediaType.PNG


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "image/jpeg, text/*",
        "application/json;q=0, image/png;q=0.0",
        "text/html, application/problem+json",
    ],
)
def test_unacceptable_request_is_refused_with_available_types(accept: str) -> None:
    request = request_accepting(accept)

    with pytest.raises(NotAcceptable) as refused:
        negotiate(request, MediaType.JSON, MediaType.PNG)

    assert refused.value.facts == {"available_types": (MediaType.JSON, MediaType.PNG)}
