"""Errors that only HTTP knows."""

from service.errors import AccessError, MammolensError, RequestError


class InvalidParameters(RequestError):
    """A parameter of query, path or form is unknown, out of range or of the wrong type."""

    slug = "invalid-parameter"
    title = "Invalid parameter"
    remedy = "Correct the listed parameters. GET /openapi.json describes all of them."


class RouteNotFound(RequestError):
    """There is no route with that path."""

    slug = "not-found"
    title = "Route not found"
    remedy = "GET /openapi.json lists all routes."


class MethodNotAllowed(RequestError):
    """The route does not support the method."""

    slug = "method-not-allowed"
    title = "Method not allowed"
    remedy = "Use one of the methods in the Allow header."


class MalformedRequest(RequestError):
    """The bytes are not an HTTP request."""

    slug = "malformed-request"
    title = "Malformed HTTP request"
    remedy = "Check the client and any proxy in between. The service speaks HTTP/1.1."


class HeadTooLarge(RequestError):
    """The head of a request, or what surrounds its body, is larger than any client needs."""

    slug = "head-too-large"
    title = "Request head too large"
    remedy = "Send at most 32 KiB of request line and headers, in at most 100 headers."

    def __init__(self) -> None:
        super().__init__("The request line and the headers are too large, or too many.")


class Misdirected(RequestError):
    """The Host header names another host than this service."""

    slug = "misdirected"
    title = "Host not served"
    remedy = (
        "Call the service by a name or address that it knows, or ask the operator to add this one "
        "to MAMMOLENS_ALLOWED_HOSTS."
    )


class ForeignOrigin(AccessError):
    """A page of another origin made the browser send the request."""

    slug = "foreign-origin"
    title = "Origin not allowed"
    remedy = "Ask the operator to add the origin of the page to MAMMOLENS_CORS_ORIGINS."


class InternalError(MammolensError):
    """A bug in the service."""
