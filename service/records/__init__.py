"""Plain frozen records over arrays that the steps hand to one another: no behaviour, no wire format."""

from service.records.arrays import WHITE, Floats, Mask, Pixels
from service.records.diagnostics import Caution, Domain, Measure, Range
from service.records.heatmap import FilterStatistics, Heatmap, MapState, Method, Peak, Region
from service.records.image import (
    Box,
    Derivation,
    FitParameters,
    Fitted,
    ImageFacts,
    Laterality,
    Mammogram,
    Side,
)
from service.records.network import Layer, LayerGradients, ReceptiveField, Scores, Stage

__all__ = [
    "WHITE",
    "Box",
    "Caution",
    "Derivation",
    "Domain",
    "FilterStatistics",
    "FitParameters",
    "Fitted",
    "Floats",
    "Heatmap",
    "ImageFacts",
    "Laterality",
    "Layer",
    "LayerGradients",
    "Mammogram",
    "MapState",
    "Mask",
    "Measure",
    "Method",
    "Peak",
    "Pixels",
    "Range",
    "ReceptiveField",
    "Region",
    "Scores",
    "Side",
    "Stage",
]
