"""Frozen records that the steps of the pipeline pass on, without behaviour or wire format."""

from service.records.arrays import WHITE, Floats, Integers, Mask, Pixels
from service.records.heatmap import (
    DrawnHeat,
    FilterStatistics,
    Heatmap,
    HeatRegion,
    HeatScale,
    MapState,
    Method,
    Peak,
)
from service.records.image import (
    Box,
    Derivation,
    FitParameters,
    Fitted,
    ImageFacts,
    Laterality,
    Mammogram,
    Side,
    SpacingPlane,
)
from service.records.layers import (
    ConvLayer,
    EffectiveSize,
    LayerGradients,
    ReceptiveField,
    Scores,
    Stage,
)
from service.records.quality import Alarm, Diagnostic, Domain, QualityWarning, ReferenceRange

__all__ = [
    "WHITE",
    "Alarm",
    "Box",
    "ConvLayer",
    "Derivation",
    "Diagnostic",
    "Domain",
    "DrawnHeat",
    "EffectiveSize",
    "FilterStatistics",
    "FitParameters",
    "Fitted",
    "Floats",
    "HeatRegion",
    "HeatScale",
    "Heatmap",
    "ImageFacts",
    "Integers",
    "Laterality",
    "LayerGradients",
    "Mammogram",
    "MapState",
    "Mask",
    "Method",
    "Peak",
    "Pixels",
    "QualityWarning",
    "ReceptiveField",
    "ReferenceRange",
    "Scores",
    "Side",
    "SpacingPlane",
    "Stage",
]
