"""What a model version was tested for before it was exported: `assets.extra/scorecard.json`."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from service.records import Method

Verdict = Literal["pass", "fail", "informative"]


class ScorecardEntry(BaseModel):
    """One test: what came out, what is asked for, and what that means in a sentence.

    `value` is null where the test could not be made; a line with a verdict of `informative` asks for nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    value: FiniteFloat | None
    asked: str = Field(description="What the value must be.")
    verdict: Verdict
    meaning: str


@dataclass(frozen=True, slots=True)
class Localisation:
    """How well a method finds lesions, on average over `images` that were rightly decided to be positive.

    `pointing`: share of peaks in the lesion. `mass`: share of the heat in it. `rank`: of the hottest pixels, as many as
    the lesion has, the share in it. `iou`: of the lesion and the heat above Otsu's threshold.
    """

    images: int
    pointing: float
    mass: float
    rank: float
    iou: float


class Scorecard(BaseModel):
    """The tests of one model version on `images` reference images that it was not trained on.

    `methods`: how well each finds lesions; empty where lesions' masks are not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    created: date
    images: int = Field(ge=1)
    lines: tuple[ScorecardEntry, ...] = Field(min_length=1)
    methods: dict[Method, Localisation] = Field(default_factory=dict)

    @property
    def failed(self) -> list[str]:
        """The names of the lines that failed."""
        return [line.name for line in self.lines if line.verdict == "fail"]

    @property
    def passed(self) -> bool:
        """Whether no line failed."""
        return not self.failed
