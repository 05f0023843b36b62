"""The JSON on the wire."""

from service.api.schemas.answers import (
    ActivationsAnswer,
    Answer,
    Caution,
    Diagnostics,
    Filter,
    Health,
    Image,
    Layer,
    LayersAnswer,
    Measure,
    ModelName,
    PredictAnswer,
    Prediction,
    Range,
    Schema,
)
from service.api.schemas.front_answer import FrontAnswer
from service.api.schemas.heatmap_answer import GradcamAnswer, Picture, Region
from service.api.schemas.model_answer import (
    LevelDecision,
    LevelDecisions,
    ModelAnswer,
    Origin,
    ShareEstimate,
    ViewsDecision,
)
from service.api.schemas.problem_schema import InvalidParameter, Problem
from service.api.schemas.scorecard_answer import ScorecardAnswer, ScorecardLine

__all__ = [
    "ActivationsAnswer",
    "Answer",
    "Caution",
    "Diagnostics",
    "Filter",
    "FrontAnswer",
    "GradcamAnswer",
    "Health",
    "Image",
    "InvalidParameter",
    "Layer",
    "LayersAnswer",
    "LevelDecision",
    "LevelDecisions",
    "Measure",
    "ModelAnswer",
    "ModelName",
    "Origin",
    "Picture",
    "PredictAnswer",
    "Prediction",
    "Problem",
    "Range",
    "Region",
    "Schema",
    "ScorecardAnswer",
    "ScorecardLine",
    "ShareEstimate",
    "ViewsDecision",
]
