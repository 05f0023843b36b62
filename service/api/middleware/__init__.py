"""ASGI middleware.

From the outside in: request log, tracing, audit, security headers, host names, cross origin.
"""
