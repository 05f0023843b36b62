"""GET /: what this is, its state, and where to go from here, as a page or as JSON."""

from collections.abc import Iterable
from html import escape
from string import Template
from typing import Literal, NamedTuple

from fastapi import APIRouter, Request, Response

from service import __version__
from service.api import responses
from service.api.application import AppParts
from service.api.dependencies import AnyParts
from service.api.negotiation import MediaType, negotiate
from service.api.page_files import page
from service.api.response_headers import FRONT_POLICY
from service.api.schemas import FrontAnswer
from service.errors import Draining, NotReady
from service.model import Model
from service.observability.stopwatch import Stopwatch

router = APIRouter(include_in_schema=False)

_NOTICE = (
    "Every answer names its model. The facts of the model say what it may be used for, and what it "
    "was trained on."
)
_ACCESS = "<p>Callers need a key or a token, for images as well as for facts of the model.</p>"
_VIEWER_LINK = ("viewer", "viewer", "A page to look at an exam, its decisions and its heat")
_LINKS = (
    ("documentation", "docs", "Routes and options, with a form to try each"),
    ("reference", "redoc", "Routes and options on one page"),
    ("openapi", "openapi.json", "The OpenAPI document, for programs"),
    ("model", "model", "Facts of the model: training data, figures, limitations"),
    ("scorecard", "model/scorecard", "Tests of the model with their verdicts"),
    ("alive", "livez", "Health: the process answers"),
    ("ready", "readyz", "Health: the model is loaded and checked"),
)
"""What each link leads to: its name in JSON, its path, and a phrase."""


class _State(NamedTuple):
    """State of the service. `model`: None unless it is ready and anyone may know it."""

    name: Literal["ready", "not-ready", "draining"]
    summary: str
    model: Model | None


@router.api_route("/", methods=["GET", "HEAD"])
async def show_front(request: Request, parts: AnyParts) -> Response:
    """Return the page, or the same as JSON."""
    media_type = negotiate(request, MediaType.JSON, MediaType.HTML)
    state = _state(parts)
    links = (_VIEWER_LINK, *_LINKS) if parts.settings.viewer else _LINKS
    if media_type is MediaType.HTML:
        headers = {"Content-Security-Policy": FRONT_POLICY}
        authenticates = parts.settings.authenticates
        html = _as_html(state, links, authenticates=authenticates)
        return Response(html, 200, headers, media_type)

    body = FrontAnswer(
        name="mammolens",
        version=__version__,
        notice=f"Not a medical device. {_NOTICE}",
        state=state.name,
        model=None if state.model is None else responses.model_name(state.model),
        links={name: f"/{path}" for name, path, _ in links},
    )
    return responses.as_json(body, Stopwatch())


def _state(parts: AppParts) -> _State:
    """Return the state. It names no model if callers have to authenticate: this page is open."""
    try:
        model = parts.engine.require_model()
    except NotReady as error:
        return _State("not-ready", str(error), None)
    except Draining as error:
        return _State("draining", str(error), None)

    summary = "Ready: images can be sent."
    return _State("ready", summary, None if parts.settings.authenticates else model)


def _as_html(state: _State, links: Iterable[tuple[str, str, str]], *, authenticates: bool) -> str:
    rows = (
        f'<tr><th><a href="{path}">/{path}</a></th><td>{escape(meaning)}</td></tr>'
        for _, path, meaning in links
    )
    return Template(page("front.html")).substitute(
        version=escape(__version__),
        notice=escape(_NOTICE),
        state=state.name,
        summary=escape(state.summary),
        model="" if state.model is None else _model_html(state.model),
        access=_ACCESS if authenticates else "",
        links="\n".join(rows),
    )


def _model_html(model: Model) -> str:
    manifest = model.manifest
    use, limits = escape(manifest.intended_use), escape(manifest.limitations)
    return (
        f"<p>Model <strong>{escape(manifest.name)}</strong>, version {manifest.version}. "
        f"{use} {limits}</p>"
    )
