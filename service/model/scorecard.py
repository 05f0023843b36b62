"""The tests of a model version before its export: `assets.extra/scorecard.json`."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from service.records import Method

Verdict = Literal["pass", "fail", "informative"]


class ScorecardEntry(BaseModel):
    """One test: its value, the requirement (`asked`) and the meaning in a sentence.

    `value`: null if the test could not be made. The verdict `informative` means that there is no
    requirement.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    value: FiniteFloat | None
    asked: str = Field(description="What the value must be.")
    verdict: Verdict
    meaning: str

    @property
    def value_text(self) -> str:
        """The value with four significant digits, `-` if the test could not be made."""
        return "-" if self.value is None else f"{self.value:.4g}"


@dataclass(frozen=True, slots=True)
class Localisation:
    """How well a method finds lesions, as means over `images` true positive images.

    `pointing`: share of peaks in the lesion. `mass`: share of the heat in the lesion. `rank`: share
    of the hottest pixels in the lesion, where their number is that of the lesion's pixels. `iou`:
    intersection over union of the lesion and the heat above Otsu's threshold.
    """

    images: int
    pointing: float
    mass: float
    rank: float
    iou: float


class Scorecard(BaseModel):
    """The tests of one model version on `images` reference images that it was not trained on.

    `methods`: how well each method finds lesions. It is empty if the lesions' masks are unknown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    created: date
    images: int = Field(ge=1)
    lines: tuple[ScorecardEntry, ...] = Field(min_length=1)
    methods: dict[Method, Localisation] = Field(default_factory=dict)

    @property
    def failed(self) -> list[str]:
        """Names of the tests that failed."""
        return [line.name for line in self.lines if line.verdict == "fail"]

    @property
    def passed(self) -> bool:
        """True if no test failed."""
        return not self.failed
