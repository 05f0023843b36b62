"""Facts of the levels of decision in a manifest: thresholds, measured shares and quantiles."""

from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.model.levels import Level
from service.model.manifest_types import Count, Probability, Sentence

QUANTILES = 101  # from 0 % to 100 %, in steps of 1 %

Quantiles = Annotated[tuple[Probability, ...], Field(min_length=QUANTILES, max_length=QUANTILES)]
Views = Annotated[int, Field(ge=1)]
"""Number of views of a case."""


class MeasuredShare(BaseModel):
    """A share that was measured, with its 95 % interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Probability
    low: Probability
    high: Probability

    @model_validator(mode="after")
    def _check_interval(self) -> Self:
        if self.low > self.high:
            raise ValueError("low must not exceed high")
        return self


class ViewsFacts(BaseModel):
    """Threshold and measured shares of the cases that have one certain number of views."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: Probability
    sensitivity: MeasuredShare | None
    specificity: MeasuredShare | None
    cases: Count


class LevelFacts(BaseModel):
    """Facts of one level: thresholds of validation cases, shares measured on test cases.

    `target`: sentence that says how the threshold was chosen. `threshold`: on the level's
    probability. `sensitivity`, `specificity`: None if there were no cases for them. `cases`: number
    of test cases, of which `with_cancer` have cancer. `quantiles`: 101 quantiles of the
    probabilities of cancer-free validation cases, from 0 % to 100 %. `by_views`: facts of the cases
    of exactly that number of views.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: Sentence
    threshold: Probability
    sensitivity: MeasuredShare | None
    specificity: MeasuredShare | None
    cases: Count
    with_cancer: Count
    quantiles: Quantiles
    by_views: dict[Views, ViewsFacts] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if any(lower > higher for lower, higher in pairwise(self.quantiles)):
            raise ValueError("quantiles must not decrease")
        if self.with_cancer > self.cases:
            raise ValueError("with_cancer must not exceed cases")
        return self

    def percentile(self, probability: float) -> float:
        """Return the share of cancer-free cases with a lower probability, in per cent.

        It is interpolated between the quantiles. Where several quantiles equal the probability, it
        is the mean of the first and the last of them.
        """
        first = bisect_left(self.quantiles, probability)
        beyond = bisect_right(self.quantiles, probability)
        if first < beyond:
            return (first + beyond - 1) / 2

        if first == 0:
            return 0.0
        if first == QUANTILES:
            return 100.0
        lower, higher = self.quantiles[first - 1 : first + 1]
        return first - 1 + (probability - lower) / (higher - lower)


class Levels(BaseModel):
    """Facts of every level of decision."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: LevelFacts
    breast: LevelFacts
    exam: LevelFacts

    def by_level(self) -> dict[Level, LevelFacts]:
        """Return the facts by level, from the image to the exam."""
        return {Level.IMAGE: self.image, Level.BREAST: self.breast, Level.EXAM: self.exam}
