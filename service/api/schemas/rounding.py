"""Digits of the numbers in answers, by kind. Decisions are made before the numbers are rounded."""

import math
from dataclasses import replace
from typing import Annotated

from pydantic import AfterValidator, Field

from service.records import EffectiveSize, Peak, ReceptiveField

SHARE_DIGITS = 6
FIGURE_DIGITS = 5
EXACT_DIGITS = 8

_COORDINATE_DECIMALS = 2
_TIME_DECIMALS = 1


def significant(value: float, digits: int) -> float:
    """Return the value with that number of significant digits."""
    return float(f"{value:.{digits}g}")


def kept_apart(value: float, bound: float, digits: int) -> float:
    """Return the rounded value, on the same side of the rounded bound as the value of the bound.

    Where rounding would make both equal, the value moves away by one unit of its last digit.
    """
    rounded = significant(value, digits)
    edge = significant(bound, digits)
    if value == bound or rounded != edge:
        return rounded

    unit = 10.0 ** (math.floor(math.log10(abs(edge))) + 1 - digits)
    return significant(edge + math.copysign(unit, value - bound), digits)


def _share(value: float) -> float:
    return significant(value, SHARE_DIGITS)


def _figure(value: float) -> float:
    return significant(value, FIGURE_DIGITS)


def _exact(value: float) -> float:
    return significant(value, EXACT_DIGITS)


def _coordinate(value: float) -> float:
    return round(value, _COORDINATE_DECIMALS)


def _time(value: float) -> float:
    return round(value, _TIME_DECIMALS)


def _peak(peak: Peak) -> Peak:
    return replace(peak, value=_figure(peak.value), x=_coordinate(peak.x), y=_coordinate(peak.y))


def _effective_size(size: EffectiveSize) -> EffectiveSize:
    return EffectiveSize(_figure(size.height), _figure(size.width))


def _receptive_field(field: ReceptiveField) -> ReceptiveField:
    return replace(
        field,
        stride_y=_exact(field.stride_y),
        stride_x=_exact(field.stride_x),
        offset_y=_exact(field.offset_y),
        offset_x=_exact(field.offset_x),
    )


Share = Annotated[float, Field(ge=0, le=1), AfterValidator(_share)]
"""A probability, a threshold or another part of a whole."""
Percentage = Annotated[float, Field(ge=0, le=100), AfterValidator(_figure)]
Figure = Annotated[float, AfterValidator(_figure)]
"""A measured number: a diagnostic, heat, an area."""
Exact = Annotated[float, AfterValidator(_exact)]
"""A number to compute with, such as an entry of a matrix.

Over 6000 pixels, a matrix of such numbers is exact to a thousandth of a pixel.
"""
Coordinate = Annotated[float, AfterValidator(_coordinate)]
"""A position in source pixels."""
Milliseconds = Annotated[float, AfterValidator(_time)]

RoundedPeak = Annotated[Peak, AfterValidator(_peak)]
RoundedSize = Annotated[EffectiveSize, AfterValidator(_effective_size)]
RoundedField = Annotated[ReceptiveField, AfterValidator(_receptive_field)]
