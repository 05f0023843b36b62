"""Heatmaps, their regions, and the statistics of filters."""

from dataclasses import dataclass
from enum import StrEnum

from service.geometry import Affine
from service.records.arrays import Floats
from service.records.image import Box


class Method(StrEnum):
    """How a heatmap is computed.

    The last three methods explain the input itself, the others a layer from its maps and gradients.
    """

    GRAD_CAM = "grad-cam"
    GRAD_CAM_PLUS_PLUS = "grad-cam-plus-plus"
    HIRES_CAM = "hires-cam"
    LAYER_CAM = "layer-cam"
    XGRAD_CAM = "xgrad-cam"
    EIGEN_CAM = "eigen-cam"
    INTEGRATED_GRADIENTS = "integrated-gradients"
    SMOOTH_GRAD = "smooth-grad"
    OCCLUSION = "occlusion"


class HeatScale(StrEnum):
    """The raw heat that is drawn at full strength, and that the level of regions is a share of.

    `reference`: the reference peak of the model version, so that images can be compared. `image`:
    the peak of the image itself.
    """

    REFERENCE = "reference"
    IMAGE = "image"


class MapState(StrEnum):
    """Whether a heatmap has heat, and the reason if it is blank."""

    OK = "ok"
    DEAD_LAYER = "dead_layer"
    ZERO_GRADIENT = "zero_gradient"
    ALL_NEGATIVE = "all_negative"
    NOT_FINITE = "not_finite"


@dataclass(frozen=True, slots=True)
class Peak:
    """The hottest cell of a heatmap: its raw value, its (row, column) in the map, and its centre.

    `x`, `y`: the centre in source pixels.
    """

    value: float
    row: int
    column: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Heatmap:
    """A map of heat, and its place in the source image.

    `values`: raw, >= 0, float32 [h, w]. They are all zero unless `state` is ok. `to_source`: from
    cells to source pixels. `peak`: None unless `state` is ok.
    """

    values: Floats
    to_source: Affine
    state: MapState
    peak: Peak | None


@dataclass(frozen=True, slots=True)
class DrawnHeat:
    """The heat of a heatmap as it is drawn, on a grid about as fine as the model's.

    `values`: raw, >= 0, float32 [h, w]. `to_source`: from their pixels to source pixels. `box`: the
    part of the source that they cover. Elsewhere no heat is drawn. `full_value`: the raw value that
    is drawn at full strength. Stronger heat is drawn alike. 0 for a blank map without a reference.
    """

    values: Floats
    to_source: Affine
    box: Box
    full_value: float


@dataclass(frozen=True, slots=True)
class HeatRegion:
    """A connected part of the drawn heat at or above a level, in source pixels.

    `contour`: the outline, as points (x, y). `box`: the bounding box (left, top, right, bottom).
    `area`: in square source pixels. `area_mm2`: None if the pixel spacing is unknown. `heat_share`:
    share of all drawn heat, 0..1. `peak`: the hottest point (x, y). `peak_value`: its raw value.
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
    """One filter's map in numbers: mean, maximum, and share of cells at or below zero (0..1)."""

    mean: float
    maximum: float
    zero_share: float
