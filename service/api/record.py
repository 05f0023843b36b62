"""The record of a request: facts for the log, the audit, metrics and traces."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from starlette.types import Scope

from service.access import Caller
from service.model import Model
from service.observability.stopwatch import Lap

_KEY = "mammolens.record"
_METHODS = {"GET", "POST", "HEAD", "OPTIONS"}


class ImageRefusal(NamedTuple):
    """The problem with which one image of an answered exam was refused: its slug and status."""

    problem: str
    status: int


@dataclass(slots=True)
class Inference:
    """One image given to one model.

    `image`: the keyed hash of its bytes, `-` if no audit is kept. `exam`: the ID of its exam, `-`
    for an image alone. `refusal`: None if its outcome is that of the request.
    """

    model: Model
    image: str
    exam: str = "-"
    refusal: ImageRefusal | None = None


@dataclass(slots=True)
class RequestRecord:
    """Facts about one request.

    `caller`: the name of the authenticated caller. `admitted`: the caller that the gate has
    admitted, None on routes without one. `problem`: the slug of the error in the
    response, if it is one. `inferences`: the images and their model, empty until the model gets
    them. `laps`: the steps, once the request is answered.
    """

    request_id: str
    caller: str = "-"
    admitted: Caller | None = None
    problem: str | None = None
    inferences: Sequence[Inference] = ()
    laps: Sequence[Lap] = ()


def begin_record(scope: Scope, request_id: str) -> RequestRecord:
    """Create the record of a request."""
    record = RequestRecord(request_id)
    scope[_KEY] = record
    return record


def record_of(scope: Scope) -> RequestRecord:
    """Return the record of a request.

    The request log creates it before anything else sees the request.
    """
    record: RequestRecord = scope[_KEY]
    return record


def route(scope: Scope) -> str:
    """Return the template of the route as in the API document, never the path that was sent."""
    return getattr(scope.get("route"), "path_format", "unknown")


def method(scope: Scope) -> str:
    """Return the request's method, or `other` for one that no route has: it could be any text."""
    return scope["method"] if scope["method"] in _METHODS else "other"
