"""Heatmaps, their regions, and the statistics of filters."""

from dataclasses import dataclass
from enum import StrEnum

from service.geometry import Affine
from service.records.arrays import Floats


class Method(StrEnum):
    """How a heatmap comes about: from a layer's maps and gradients, or, the last three, from the input itself."""

    GRAD_CAM = "grad-cam"
    GRAD_CAM_PLUS_PLUS = "grad-cam-plus-plus"
    HIRES_CAM = "hires-cam"
    LAYER_CAM = "layer-cam"
    XGRAD_CAM = "xgrad-cam"
    EIGEN_CAM = "eigen-cam"
    INTEGRATED_GRADIENTS = "integrated-gradients"
    SMOOTH_GRAD = "smooth-grad"
    OCCLUSION = "occlusion"


class MapState(StrEnum):
    """Whether a heatmap says anything, and if not, why."""

    OK = "ok"
    DEAD_LAYER = "dead_layer"
    ZERO_GRADIENT = "zero_gradient"
    ALL_NEGATIVE = "all_negative"
    NOT_FINITE = "not_finite"


@dataclass(frozen=True, slots=True)
class Peak:
    """The hottest cell: its raw value, its (row, column) in the map and its centre in source pixels."""

    value: float
    row: int
    column: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Heatmap:
    """A map of heat and where it lies.

    `values`: raw, >= 0, float32 [h, w]; all zero, with no peak, unless `state` is ok. `to_source`: from cells to
    source pixels.
    """

    values: Floats
    to_source: Affine
    state: MapState
    peak: Peak | None


@dataclass(frozen=True, slots=True)
class HeatRegion:
    """A connected part of a heatmap above a level, in source pixels.

    `contour`: its outline, (x, y) by (x, y). `box`: (left, top, right, bottom) around it. `area_mm2`: None where the
    pixel spacing is not known. `heat_share`: of all the heat, 0..1. `peak`: its hottest point, with the raw value.
    """

    contour: list[tuple[float, float]]
    box: tuple[float, float, float, float]
    area: float
    area_mm2: float | None
    heat_share: float
    peak: tuple[float, float]
    peak_value: float


@dataclass(frozen=True, slots=True)
class FilterStatistics:
    """One filter's map in numbers: mean, maximum and share of cells at or below zero."""

    mean: float
    maximum: float
    zero_share: float
