"""The pipeline: bytes -> decode -> fit -> model -> explanation -> picture.

Start reading at `service/pipeline/steps.py`.
"""

from service.pipeline.drawing import draw_filters, draw_heatmap, draw_montage, picture_edge
from service.pipeline.model_facts import model_warnings
from service.pipeline.passes import count_passes
from service.pipeline.selftest import golden_case, replay, warm
from service.pipeline.steps import (
    Activations,
    Explanation,
    ImagePrediction,
    Question,
    check_question,
    explain,
    predict,
    show_activations,
)

__all__ = [
    "Activations",
    "Explanation",
    "ImagePrediction",
    "Question",
    "check_question",
    "count_passes",
    "draw_filters",
    "draw_heatmap",
    "draw_montage",
    "explain",
    "golden_case",
    "model_warnings",
    "picture_edge",
    "predict",
    "replay",
    "show_activations",
    "warm",
]
