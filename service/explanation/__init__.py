"""Maps and gradients -> heatmaps, statistics and warnings; NumPy alone."""

from service.explanation.activations import filter_cautions, filter_statistics, reading
from service.explanation.cam import grad_cam, heatmap
from service.explanation.diagnostics import diagnose, heatmap_cautions

__all__ = [
    "diagnose",
    "filter_cautions",
    "filter_statistics",
    "grad_cam",
    "heatmap",
    "heatmap_cautions",
    "reading",
]
