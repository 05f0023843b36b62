"""ROC curves and calibration of a model version on test cases: `assets.extra/curves.json`."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.model.level_facts import MeasuredShare
from service.model.levels import Level
from service.model.manifest_types import Count, Probability

MAX_POINTS = 101
MAX_BINS = 100

Points = Annotated[tuple[Probability, ...], Field(min_length=2, max_length=MAX_POINTS)]


class RocCurve(BaseModel):
    """Sensitivities at rates of false positives, with their 95 % intervals.

    `false_positive_rate`: shares of the cases without cancer, from 0 up to 1. `sensitivity`: the
    highest where at most that share is positive. `low`, `high`: the ends of its interval.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    false_positive_rate: Points
    sensitivity: Points
    low: Points
    high: Points

    @model_validator(mode="after")
    def _check_points(self) -> Self:
        rates = self.false_positive_rate
        if {len(self.sensitivity), len(self.low), len(self.high)} != {len(rates)}:
            raise ValueError("all lists must have the same length")
        if (rates[0], rates[-1]) != (0, 1) or any(a >= b for a, b in pairwise(rates)):
            raise ValueError("false_positive_rate must increase from 0 to 1")
        if not all(map(_never_falls, (self.sensitivity, self.low, self.high))):
            raise ValueError("sensitivity, low and high must not decrease")
        if any(low > high for low, high in zip(self.low, self.high, strict=True)):
            raise ValueError("low must not exceed high")
        return self


class LevelCurve(BaseModel):
    """The ROC curve of one level over `cases` test cases, of which `with_cancer` have cancer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    roc: RocCurve
    auc: MeasuredShare
    cases: Count
    with_cancer: Count

    @model_validator(mode="after")
    def _check_counts(self) -> Self:
        if not 0 < self.with_cancer < self.cases:
            raise ValueError("a curve needs cases with cancer and cases without")
        return self


class LevelCurves(BaseModel):
    """The curve of every level, None where no test case has cancer or every one has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: LevelCurve | None
    breast: LevelCurve | None
    exam: LevelCurve | None

    def by_level(self) -> dict[Level, LevelCurve | None]:
        """Return the curves by level, from the image to the exam."""
        return {Level.IMAGE: self.image, Level.BREAST: self.breast, Level.EXAM: self.exam}


class CalibrationBin(BaseModel):
    """Test images of similar probability.

    `probability`: their mean, at the prevalence of the data. `observed`: the share of these images
    that has cancer, with its 95 % interval from `low` to `high`. `count`: number of images.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    probability: Probability
    observed: Probability
    low: Probability
    high: Probability
    count: int = Field(ge=1)

    @model_validator(mode="after")
    def _check_interval(self) -> Self:
        if not self.low <= self.observed <= self.high:
            raise ValueError("observed must lie between low and high")
        return self


class ImageCalibration(BaseModel):
    """Probabilities of single test images beside what was observed, in bins.

    `error`: the expected calibration error. `bins`: in ascending order of their probabilities.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    error: Probability
    bins: tuple[CalibrationBin, ...] = Field(min_length=1, max_length=MAX_BINS)

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if not _never_falls([one.probability for one in self.bins]):
            raise ValueError("the probabilities of the bins must not decrease")
        return self


class Curves(BaseModel):
    """ROC curves of all levels, and the calibration of images, measured on the test part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    levels: LevelCurves
    calibration: ImageCalibration


def _never_falls(values: Sequence[float]) -> bool:
    return all(lower <= higher for lower, higher in pairwise(values))
