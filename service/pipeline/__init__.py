"""The pipeline: bytes -> decode -> fit -> model -> explanation -> picture.

Start reading at `service/pipeline/image.py`.
"""

from service.pipeline.drawing import draw_filters, draw_heatmap, draw_montage, picture_edge
from service.pipeline.image import (
    Activations,
    Explanation,
    Prediction,
    Question,
    explain,
    predict,
    show_activations,
)
from service.pipeline.selftest import golden_case, replay, warm

__all__ = [
    "Activations",
    "Explanation",
    "Prediction",
    "Question",
    "draw_filters",
    "draw_heatmap",
    "draw_montage",
    "explain",
    "golden_case",
    "picture_edge",
    "predict",
    "replay",
    "show_activations",
    "warm",
]
