"""Maps and gradients -> heatmaps, figures and warnings. Only arithmetic on arrays."""

from service.explanation.attribution import (
    Gradients,
    Margins,
    blurred,
    integrated_gradients,
    occlusion,
    occlusion_windows,
    smooth_grad,
)
from service.explanation.cam import METHODS, heatmap, signed_map
from service.explanation.diagnostics import FIGURES, diagnose, heatmap_warnings, unusual_warnings
from service.explanation.domain import distance, domain_warnings
from service.explanation.drawn_heat import drawn_heat
from service.explanation.filters import (
    filter_figures,
    filter_statistics,
    filter_warnings,
    stage_guide,
)
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
    "diagnose",
    "distance",
    "domain_warnings",
    "drawn_heat",
    "evidence_gaps",
    "explain_layer",
    "filter_figures",
    "filter_statistics",
    "filter_warnings",
    "heat_figures",
    "heatmap",
    "heatmap_warnings",
    "integrated_gradients",
    "layer_figures",
    "noisy_copies",
    "occlusion",
    "occlusion_windows",
    "regions",
    "signed_map",
    "smooth_grad",
    "stability",
    "stage_guide",
    "to_heatmap",
    "unusual_warnings",
]
