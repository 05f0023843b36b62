"""Security headers of responses, and the exceptions for the documentation pages."""

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""A response is not stored, not framed, and loads nothing but the scorecard's inline style."""

_CDN = "https://cdn.jsdelivr.net"
DOCUMENTATION_POLICIES = {
    "/docs": (
        f"default-src 'none'; script-src 'unsafe-inline' {_CDN}; style-src 'unsafe-inline' {_CDN}; "
        "img-src https://fastapi.tiangolo.com data:; connect-src 'self'; frame-ancestors 'none'"
    ),
    "/redoc": (
        f"default-src 'none'; script-src 'unsafe-inline' {_CDN}; worker-src blob:; "
        "connect-src 'self'; style-src 'unsafe-inline' https://fonts.googleapis.com; "
        "font-src https://fonts.gstatic.com; img-src https: data:; frame-ancestors 'none'"
    ),
}
"""Policies of the documentation pages: FastAPI's pages load scripts from these hosts."""
