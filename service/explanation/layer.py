"""Everything that one forward and backward pass tells of a layer: the heatmap and its inexpensive figures."""

import numpy as np

from service.explanation.agreement import correlation
from service.explanation.cam import heatmap, signed_map
from service.explanation.filters import filter_figures
from service.explanation.heat_figures import heat_figures
from service.geometry import Affine
from service.records import ConvLayer, Floats, Heatmap, Mask, Method


def explain_layer(
    method: Method,
    maps: Floats,
    gradients: Floats,
    layer: ConvLayer,
    mask: Mask,
    grid_to_source: Affine,
) -> tuple[Heatmap, dict[str, float]]:
    """The method's heatmap of maps and gradients [h, w, filters], and the figures of heat and filters.

    `mask`: the breast on the model's grid, from which `grid_to_source` leads to source pixels.
    """
    found = heatmap(method, maps, gradients, layer.receptive_field.to_input().then(grid_to_source))
    return found, heat_figures(found, mask, layer.receptive_field) | layer_figures(maps, gradients)


def layer_figures(maps: Floats, gradients: Floats) -> dict[str, float]:
    """The figures of a layer that no method decides: those of its filters, and how far two methods agree."""
    with np.errstate(over="ignore", invalid="ignore"):
        one, other = (
            signed_map(method, maps, gradients).clip(0)
            for method in (Method.GRAD_CAM, Method.HIRES_CAM)
        )
    alike = correlation(one, other) if np.isfinite(one).all() and np.isfinite(other).all() else 0.0
    return filter_figures(maps) | {"agreement": alike}
