"""Explain a layer from one forward and backward pass: the heatmap and its inexpensive figures."""

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
    """Return the method's heatmap of a layer, and the figures of its heat and filters.

    `maps`, `gradients`: [h, w, filters]. `mask`: the breast on the model's grid. `grid_to_source`:
    from the model's grid to source pixels.
    """
    field = layer.receptive_field
    cell_to_source = field.to_input().then(grid_to_source)

    heat = heatmap(method, maps, gradients, cell_to_source)
    figures = heat_figures(heat, mask, field) | layer_figures(maps, gradients)
    return heat, figures


def layer_figures(maps: Floats, gradients: Floats) -> dict[str, float]:
    """Return the figures of a layer that do not depend on the method.

    They describe its filters, and how far Grad-CAM and HiResCAM agree. The agreement is 0 for maps
    that are not finite. `maps`, `gradients`: [h, w, filters].
    """
    # A network that has diverged overflows here. That is not an error.
    with np.errstate(over="ignore", invalid="ignore"):
        grad_cam = signed_map(Method.GRAD_CAM, maps, gradients).clip(0)
        hires_cam = signed_map(Method.HIRES_CAM, maps, gradients).clip(0)

    is_finite = np.isfinite(grad_cam).all() and np.isfinite(hires_cam).all()
    agreement = correlation(grad_cam, hires_cam) if is_finite else 0.0
    return filter_figures(maps) | {"agreement": agreement}
