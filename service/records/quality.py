"""Figures of an image, their reference ranges, and warnings."""

from dataclasses import dataclass

from service.records.arrays import Floats


@dataclass(frozen=True, slots=True)
class QualityWarning:
    """A typed warning that travels with a result: a stable kebab-case `code` and one sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ReferenceRange:
    """The 1st and the 99th percentile of a figure over a model version's reference images."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A figure of one image, the model version's reference range if it has one, and whether that is an alarm."""

    value: float
    reference: ReferenceRange | None
    unusual: bool


@dataclass(frozen=True, slots=True)
class Domain:
    """What the images a model knows look like to it: `mean` [d] and `whitening` [d, d] of their features.

    `limit`: the distance from the mean, in standard deviations per feature, that 99 % of its reference images keep.
    """

    mean: Floats
    whitening: Floats
    limit: float
