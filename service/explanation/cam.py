"""Class activation maps: a layer's maps, weighted by what the gradients of the class margin say of them.

Every method is a weight per filter, or per filter and cell; the map is the sum over filters k of weight * map. In the
formulas A is a filter's map [h, w], g the gradient of the margin to it, and sums run over cells.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from service.explanation.heat import to_heatmap
from service.geometry import Affine
from service.records import Floats, Heatmap, MapState, Method

Weights = NDArray[np.float64]


def grad_cam(maps: Floats, gradients: Floats) -> Weights:  # noqa: ARG001 - all methods are called alike
    """The mean of g [filters]. Selvaraju et al., "Grad-CAM", ICCV 2017, eq. 1."""
    return np.asarray(gradients.mean(axis=(0, 1), dtype=np.float64))


def grad_cam_plus_plus(maps: Floats, gradients: Floats) -> Weights:
    """The sum of a * max(g, 0) [filters], with a = 1 / (2 + g * sum A) where g is not 0, divided by its sum.

    The closed form of the paper for a score exp(margin), without the factor exp(margin) that all filters share; the
    division is in the authors' code. Chattopadhay et al., "Grad-CAM++", WACV 2018.
    """
    g = gradients.astype(np.float64)
    denominators = 2 + g * maps.sum(axis=(0, 1), dtype=np.float64)
    coefficients = np.divide(
        1, denominators, out=np.zeros_like(g), where=(g != 0) & (denominators != 0)
    )
    sums = coefficients.sum(axis=(0, 1))
    weighted = np.einsum("ijk,ijk->k", coefficients, np.maximum(g, 0))
    return np.asarray(weighted / np.where(sums == 0, 1, sums))


def hires_cam(maps: Floats, gradients: Floats) -> Weights:  # noqa: ARG001 - all methods are called alike
    """Of each cell its own g [h, w, filters]. Draelos and Carin, "Use HiResCAM", arXiv 2011.08891."""
    return gradients.astype(np.float64)


def layer_cam(maps: Floats, gradients: Floats) -> Weights:  # noqa: ARG001 - all methods are called alike
    """max(g, 0) [h, w, filters]. Jiang et al., "LayerCAM", IEEE TIP 30, 2021."""
    return np.maximum(gradients, 0).astype(np.float64)


def xgrad_cam(maps: Floats, gradients: Floats) -> Weights:
    """The sum of g * A over that of A [filters], 0 for a dark filter. Fu et al., "Axiom-based Grad-CAM", BMVC 2020."""
    totals = maps.sum(axis=(0, 1), dtype=np.float64)
    products: Weights = np.einsum("ijk,ijk->k", maps, gradients, dtype=np.float64)
    return np.asarray(np.divide(products, totals, out=np.zeros_like(totals), where=totals != 0))


def eigen_cam(maps: Floats, gradients: Floats) -> Weights:  # noqa: ARG001 - all methods are called alike
    """The first right singular vector of the maps as [cells, filters], signed so that the map's sum is positive.

    It shows what the layer responds to most, whatever the class. Muhammad and Yeasin, "Eigen-CAM", IJCNN 2020.
    """
    flat = maps.reshape(-1, maps.shape[-1]).astype(np.float64)
    if not np.isfinite(flat).all():
        return np.full(flat.shape[1], np.nan)
    if flat.shape[0] > flat.shape[1]:  # the same vector, from the smaller matrix
        vector = np.linalg.eigh(flat.T @ flat)[1][:, -1]
    else:
        vector = np.linalg.svd(flat, full_matrices=False)[2][0]
    return np.asarray(vector * np.copysign(1, (flat @ vector).sum()))


METHODS: dict[Method, Callable[[Floats, Floats], Weights]] = {
    Method.GRAD_CAM: grad_cam,
    Method.GRAD_CAM_PLUS_PLUS: grad_cam_plus_plus,
    Method.HIRES_CAM: hires_cam,
    Method.LAYER_CAM: layer_cam,
    Method.XGRAD_CAM: xgrad_cam,
    Method.EIGEN_CAM: eigen_cam,
}
"""The methods that explain a layer."""


def signed_map(method: Method, maps: Floats, gradients: Floats) -> Floats:
    """The method's map [h, w] before its negative part is cut off, in the units of the margin, of [h, w, filters]."""
    return _weighted(maps, METHODS[method](maps, gradients))


def heatmap(method: Method, maps: Floats, gradients: Floats, cell_to_source: Affine) -> Heatmap:
    """The positive part of the method's map with its peak in source pixels, or a blank map that says why.

    `maps`, `gradients`: [h, w, filters]. Values stay raw: scaling them is the renderer's business, and done there once.
    """
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # a network that has diverged is a state, not an error
        weights = METHODS[method](maps, gradients)
        signed = _weighted(maps, weights)
        magnitude = float(_weighted(np.abs(maps), np.abs(weights)).max())
    silent = None if maps.any() else MapState.DEAD_LAYER
    return to_heatmap(signed, magnitude, cell_to_source, silent)


def _weighted(maps: Floats, weights: Weights) -> Floats:
    weighted = maps @ weights if weights.ndim == 1 else np.einsum("ijk,ijk->ij", maps, weights)
    return np.asarray(weighted, dtype=np.float32)
