"""Maps and gradients -> heatmaps, figures and warnings; arithmetic on arrays alone."""

from service.explanation.attribution import (
    Gradients,
    Margins,
    blurred,
    integrated_gradients,
    occlusion,
    smooth_grad,
)
from service.explanation.cam import METHODS, heatmap, signed_map
from service.explanation.diagnostics import FIGURES, heatmap_cautions, measure, unusual_cautions
from service.explanation.domain import distance, domain_cautions
from service.explanation.filters import filter_cautions, filter_figures, filter_statistics, reading
from service.explanation.heat import to_heatmap
from service.explanation.heat_figures import heat_figures
from service.explanation.layer import explain_layer, layer_figures
from service.explanation.perturbation import evidence_gaps, noisy_copies, stability
from service.explanation.regions import regions

__all__ = [
    "FIGURES",
    "METHODS",
    "Gradients",
    "Margins",
    "blurred",
    "distance",
    "domain_cautions",
    "evidence_gaps",
    "explain_layer",
    "filter_cautions",
    "filter_figures",
    "filter_statistics",
    "heat_figures",
    "heatmap",
    "heatmap_cautions",
    "integrated_gradients",
    "layer_figures",
    "measure",
    "noisy_copies",
    "occlusion",
    "reading",
    "regions",
    "signed_map",
    "smooth_grad",
    "stability",
    "to_heatmap",
    "unusual_cautions",
]
