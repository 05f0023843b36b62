"""GET /model/scorecard: what the model was tested for, for a program or for a person."""

from typing import Any

from fastapi import APIRouter, Request, Response

from service.api import answers, examples
from service.api.engine import AnyEngine
from service.api.kinds import ACCESS, InvalidParameters
from service.api.negotiation import MediaType, negotiate
from service.api.options import NoQuery
from service.api.problems import document
from service.api.schemas import ScorecardAnswer, ScorecardLine
from service.errors import Draining, NoScorecard, NotAcceptable, NotReady
from service.model import Model, Scorecard
from service.rendering import Row, scorecard_page
from service.stopwatch import Stopwatch

router = APIRouter(tags=["Model"])
_PAGE_OR_JSON: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Every test with its value, what was asked, and the verdict; as HTML a page to read.",
        "content": {
            MediaType.JSON.value: {"example": examples.SCORECARD},
            MediaType.HTML.value: {"schema": {"type": "string"}},
        },
    }
}


@router.get(
    "/model/scorecard",
    operation_id="show_scorecard",
    summary="What the model was tested for",
    response_model=ScorecardAnswer,
    responses=_PAGE_OR_JSON | document(NotReady, Draining, NotAcceptable, NoScorecard, InvalidParameters, *ACCESS),
)
async def show_scorecard(request: Request, engine: AnyEngine, _: NoQuery) -> Response:
    """Whether the model version learned anatomy or a shortcut: the tests it was put to, with their verdicts."""
    media_type = negotiate(request, MediaType.JSON, MediaType.HTML)
    model = engine.require_model()
    scorecard = model.scorecard
    if scorecard is None:
        raise NoScorecard("This model version was exported without a scorecard.")
    if media_type is MediaType.HTML:
        return Response(_page(model, scorecard), media_type=MediaType.HTML)
    body = ScorecardAnswer(
        model=answers.model_name(model),
        created=scorecard.created.isoformat(),
        images=scorecard.images,
        passed=scorecard.passed,
        lines=[ScorecardLine.model_validate(line) for line in scorecard.lines],
    )
    return answers.as_json(body, Stopwatch())


def _page(model: Model, scorecard: Scorecard) -> str:
    manifest, failed = model.manifest, scorecard.failed
    summary = f"Failed: {', '.join(failed)}." if failed else "Passed every test that asks for something."
    note = (
        f"Measured on {scorecard.images} images that the model was not trained on, {scorecard.created.isoformat()}. "
        f"{manifest.intended_use} {manifest.limitations}"
    )
    rows = (
        Row(line.name, "-" if line.value is None else f"{line.value:.4g}", line.asked, line.verdict, line.meaning)
        for line in scorecard.lines
    )
    title = f"Scorecard of {manifest.name}, version {manifest.version}"
    return scorecard_page(title, summary, note, rows, passed=scorecard.passed)
