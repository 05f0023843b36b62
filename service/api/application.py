"""The application object and its parts, which routes and middleware find through the request."""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.requests import HTTPConnection

from service.access import AccessGate
from service.observability.audit import Audit
from service.observability.metrics import Metrics
from service.runtime.engine import Engine
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class AppParts:
    """Parts of one application. `audit`: None if none is kept."""

    settings: Settings
    engine: Engine
    gate: AccessGate
    metrics: Metrics
    audit: Audit | None


class MammolensApp(FastAPI):
    """FastAPI application with typed parts."""

    def __init__(self, parts: AppParts, **options: Any) -> None:
        super().__init__(**options)
        self.parts = parts


async def get_parts(connection: HTTPConnection) -> AppParts:
    """Return the parts of the application that got this request.

    A coroutine, because FastAPI would run a plain function in a thread.
    """
    return parts_of(connection)


def parts_of(connection: HTTPConnection) -> AppParts:
    """Return the parts of the application that got this request."""
    app = connection.app
    assert isinstance(app, MammolensApp)  # noqa: S101 - the only kind that serves these routes
    return app.parts
