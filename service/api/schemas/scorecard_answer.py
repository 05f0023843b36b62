"""Answer of GET /model/scorecard."""

from pydantic import Field

from service.api.schemas.answers import ModelName, Schema
from service.api.schemas.rounding import Figure
from service.model import Verdict


class ScorecardLine(Schema):
    """One test of the model version."""

    name: str
    value: Figure | None = Field(description="Null if the test could not be made.")
    asked: str = Field(description="Requirement on the value.")
    verdict: Verdict = Field(
        description=(
            "`undecided`: the interval holds the bound, there are too few cases, or the test could "
            "not be made. `informative`: there is no requirement."
        )
    )
    meaning: str
    low: Figure | None = Field(None, description="Lower end of the 95 % interval, if there is one.")
    high: Figure | None = Field(
        None, description="Upper end of the 95 % interval, if there is one."
    )
    cases: int | None = Field(
        None,
        description=(
            "Images, breasts or maps behind the value, if counted. Of an AUC, those of the rarer "
            "class."
        ),
    )


class ScorecardAnswer(Schema):
    """Tests that the model version underwent before its export."""

    model: ModelName
    created: str
    images: int = Field(
        description="Reference images that it was tested on. It was not fitted to them."
    )
    passed: bool = Field(description="Whether every test with a requirement passed.")
    lines: list[ScorecardLine]
