"""The tests of a model version before its export: `assets.extra/scorecard.json`."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from service.records import Method

Verdict = Literal["pass", "fail", "undecided", "informative"]


class ScorecardEntry(BaseModel):
    """One test: its value, the requirement (`asked`) and the meaning in a sentence.

    `value`: null if the test could not be made. `low`, `high`: its 95 % interval, where it has one.
    `cases`: number of images, breasts or maps behind the value. Of an AUC it is that of the rarer
    class. The verdict `undecided` means that the interval holds the bound of the requirement, that
    there are too few cases, or that the test could not be made. `informative` means that there is
    no requirement.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    value: FiniteFloat | None
    asked: str = Field(description="What the value must be.")
    verdict: Verdict
    meaning: str
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    cases: int | None = Field(default=None, ge=0)

    @property
    def value_text(self) -> str:
        """The value and its interval, or `-` if the test could not be made."""
        if self.value is None:
            return "-"
        if self.low is None or self.high is None:
            return f"{self.value:.4g}"
        return f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"


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
    """The tests of one model version on `images` reference images that it was not fitted to.

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
    def undecided(self) -> list[str]:
        """Names of the tests that neither passed nor failed."""
        return [line.name for line in self.lines if line.verdict == "undecided"]

    @property
    def passed(self) -> bool:
        """True if every test with a requirement passed."""
        return not self.failed and not self.undecided

    @property
    def outcome(self) -> str:
        """The result in a sentence that names the tests that failed or are undecided."""
        parts = []
        if self.failed:
            parts.append(f"Failed: {', '.join(self.failed)}.")
        if self.undecided:
            parts.append(f"Undecided: {', '.join(self.undecided)}.")
        return " ".join(parts) or "Passed every test with a requirement."
