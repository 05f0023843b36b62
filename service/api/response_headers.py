"""Security headers of responses, and the policies of the pages for browsers."""

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""A response is not stored, not framed, and loads nothing but the scorecard's inline style.

A route may set another value, as pages do.
"""

_PAGE = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
FRONT_POLICY = f"{_PAGE}style-src 'self'; img-src 'self'"
"""Policy of the page at `/`, which has no script."""
SWAGGER_POLICY = (
    f"{_PAGE}script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:"
)
"""Policy of /docs. Its icons are `data:` addresses, and a picture in an answer is a `blob:`."""
REDOC_POLICY = (
    f"{_PAGE}script-src 'self'; worker-src blob:; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self'; img-src 'self' data:"
)
"""Policy of /redoc. It writes its styles and the worker of its search itself."""
VIEWER_POLICY = (
    f"{_PAGE}script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:"
)
"""Policy of the viewer and of the page about the model. A picture to save is a `blob:`."""

KEPT_FOR_GOOD = "public, max-age=31536000, immutable"
"""Cache-Control of a file whose path changes with its content."""
