"""GET /model/scorecard: the tests of the model version, as JSON or as a page."""

from typing import Any

from fastapi import APIRouter, Request, Response

from service.api import responses
from service.api.dependencies import AnyEngine
from service.api.negotiation import MediaType, negotiate
from service.api.options import NoQuery
from service.api.problems.documentation import document
from service.api.problems.http_errors import InvalidParameters
from service.api.problems.problem_types import ACCESS_ERRORS
from service.api.schemas import ScorecardAnswer, ScorecardLine
from service.errors import Draining, NoScorecard, NotAcceptable, NotReady
from service.model import Model, Scorecard
from service.observability.stopwatch import Stopwatch
from service.rendering import Row, scorecard_page

router = APIRouter(tags=["Model"])

_PAGE_OR_JSON: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Every test with its value and verdict. As HTML a page to read.",
        "content": {
            MediaType.HTML.value: {"schema": {"type": "string"}},
        },
    }
}


@router.get(
    "/model/scorecard",
    operation_id="show_scorecard",
    summary="Tests of the model version",
    response_model=ScorecardAnswer,
    responses=_PAGE_OR_JSON
    | document(NotReady, Draining, NotAcceptable, NoScorecard, InvalidParameters, *ACCESS_ERRORS),
)
async def show_scorecard(request: Request, engine: AnyEngine, _: NoQuery) -> Response:
    """Return the tests that tell whether the model version learned anatomy or a shortcut."""
    media_type = negotiate(request, MediaType.JSON, MediaType.HTML)
    model = engine.require_model()
    scorecard = model.scorecard
    if scorecard is None:
        raise NoScorecard("This model version was exported without a scorecard.")

    if media_type is MediaType.HTML:
        return Response(_page(model, scorecard), media_type=MediaType.HTML)

    body = ScorecardAnswer(
        model=responses.model_name(model),
        created=scorecard.created.isoformat(),
        images=scorecard.images,
        passed=scorecard.passed,
        lines=[ScorecardLine.model_validate(line) for line in scorecard.lines],
    )
    return responses.as_json(body, Stopwatch())


def _page(model: Model, scorecard: Scorecard) -> str:
    manifest = model.manifest
    created = scorecard.created.isoformat()
    note = (
        f"Measured on {scorecard.images} images that the model was not fitted to, {created}. "
        f"{manifest.intended_use} {manifest.limitations}"
    )

    rows = (
        Row(
            line.name,
            line.value_text,
            line.asked,
            line.verdict,
            line.meaning,
        )
        for line in scorecard.lines
    )
    title = f"Scorecard of {manifest.name}, version {manifest.version}"
    state = "fail" if scorecard.failed else "undecided" if scorecard.undecided else "pass"
    return scorecard_page(title, scorecard.outcome, note, rows, state=state)
