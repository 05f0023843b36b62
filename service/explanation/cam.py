"""Class activation maps: the maps of a layer, weighted by means of the class margin's gradients.

Each method gives a weight per filter, or per filter and cell. The class activation map is the sum
over filters of weight * map. In the formulas A is a filter's map [h, w], g is the gradient of the
margin with respect to A, and sums run over cells.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from service.explanation.heat import to_heatmap
from service.geometry import Affine
from service.records import Floats, Heatmap, MapState, Method

Weights = NDArray[np.float64]


def grad_cam(maps: Floats, gradients: Floats) -> Weights:  # noqa: ARG001 - common signature
    """Return the mean of g [filters]. Selvaraju et al., "Grad-CAM", ICCV 2017, eq. 1."""
    return np.asarray(gradients.mean(axis=(0, 1), dtype=np.float64))


def grad_cam_plus_plus(maps: Floats, gradients: Floats) -> Weights:
    """Return the sum of a * max(g, 0), divided by the sum of a [filters].

    a = 1 / (2 + g * sum A) where g is not 0, else 0. This is the paper's closed form for a score
    exp(margin), without the factor exp(margin) that all filters share. The division by the sum of a
    is in the authors' code. Chattopadhay et al., "Grad-CAM++", WACV 2018.
    """
    g = gradients.astype(np.float64)

    denominators = 2 + g * maps.sum(axis=(0, 1), dtype=np.float64)
    coefficients = np.divide(
        1, denominators, out=np.zeros_like(g), where=(g != 0) & (denominators != 0)
    )

    sums = coefficients.sum(axis=(0, 1))
    weighted = np.einsum("ijk,ijk->k", coefficients, np.maximum(g, 0))
    return np.asarray(weighted / np.where(sums == 0, 1, sums))


def hires_cam(maps: Floats, gradients: Floats) -> Weights:  # noqa: ARG001 - common signature
    """Return g [h, w, filters]. Draelos and Carin, "Use HiResCAM", arXiv 2011.08891."""
    return gradients.astype(np.float64)


def layer_cam(maps: Floats, gradients: Floats) -> Weights:  # noqa: ARG001 - common signature
    """Return max(g, 0) [h, w, filters]. Jiang et al., "LayerCAM", IEEE TIP 30, 2021."""
    return np.maximum(gradients, 0).astype(np.float64)


def xgrad_cam(maps: Floats, gradients: Floats) -> Weights:
    """Return the sum of g * A divided by the sum of A [filters], or 0 for a dark filter.

    Fu et al., "Axiom-based Grad-CAM", BMVC 2020.
    """
    totals = maps.sum(axis=(0, 1), dtype=np.float64)
    products: Weights = np.einsum("ijk,ijk->k", maps, gradients, dtype=np.float64)
    return np.asarray(np.divide(products, totals, out=np.zeros_like(totals), where=totals != 0))


def eigen_cam(maps: Floats, gradients: Floats) -> Weights:  # noqa: ARG001 - common signature
    """Return the first right singular vector [filters] of the maps as [cells, filters].

    Its sign makes the sum of the resulting map positive. It shows the strongest response of the
    layer, for any class. Muhammad and Yeasin, "Eigen-CAM", IJCNN 2020.
    """
    flat = maps.reshape(-1, maps.shape[-1]).astype(np.float64)
    if not np.isfinite(flat).all():
        return np.full(flat.shape[1], np.nan)

    # The smaller of the two Grams gives the vector, or its counterpart over the cells.
    cells, filters = flat.shape
    if filters <= cells:
        vector = np.linalg.eigh(flat.T @ flat)[1][:, -1]
    else:
        vector = flat.T @ np.linalg.eigh(flat @ flat.T)[1][:, -1]
        vector /= np.linalg.norm(vector) or 1.0

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
    """Return the method's map [h, w] before its negative part is cut off, in units of the margin.

    `maps`, `gradients`: [h, w, filters].
    """
    return _weighted(maps, METHODS[method](maps, gradients))


def heatmap(method: Method, maps: Floats, gradients: Floats, cell_to_source: Affine) -> Heatmap:
    """Return the positive part of the method's map, or a blank map whose state gives the reason.

    `maps`, `gradients`: [h, w, filters]. The values stay raw. The renderer scales them.
    """
    # The values of a network that has diverged are not finite. That is a state, not an error.
    with np.errstate(over="ignore", invalid="ignore"):
        weights = METHODS[method](maps, gradients)
        signed = _weighted(maps, weights)
        magnitude = float(_weighted(np.abs(maps), np.abs(weights)).max())

    blank_reason = None if maps.any() else MapState.DEAD_LAYER
    return to_heatmap(signed, magnitude, cell_to_source, blank_reason)


def _weighted(maps: Floats, weights: Weights) -> Floats:
    """Return the sum over filters of weight * map [h, w]."""
    weighted = maps @ weights if weights.ndim == 1 else np.einsum("ijk,ijk->ij", maps, weights)
    return np.asarray(weighted, dtype=np.float32)
