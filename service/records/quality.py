"""Diagnostics of an image, their reference ranges, and warnings."""

from dataclasses import dataclass
from typing import Literal

from service.records.arrays import Floats

Alarm = Literal["below", "above"]


@dataclass(frozen=True, slots=True)
class QualityWarning:
    """A warning that is part of a result: a stable kebab-case `code` and a `message`."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ReferenceRange:
    """The 1st and the 99th percentile of a figure over a model version's reference images."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A figure of one image beside its reference range.

    `reference`: None if the model version has no range for the figure. `unusual`: the value is
    outside the range, on the side that is an alarm for this figure. `alarm`: that side, None if
    neither side is one.
    """

    value: float
    reference: ReferenceRange | None
    unusual: bool
    alarm: Alarm | None


@dataclass(frozen=True, slots=True)
class Domain:
    """The distribution of a model's reference images in its features.

    `mean`: of the features, [d]. `whitening`: [d, d], turns differences from the mean into
    uncorrelated features of variance 1. `limit`: 99 % of the reference images are within this
    distance from the mean, in standard deviations per feature.
    """

    mean: Floats
    whitening: Floats
    limit: float
