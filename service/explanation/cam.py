"""Class activation maps from a layer's maps and the gradients of the class margin to them."""

import numpy as np
from numpy.typing import NDArray

from service.geometry import Affine
from service.results import Floats, Heatmap, MapState, Peak

NOISE = 1e-6
"""A positive part below this share of what the filters contribute in magnitude is float32 rounding, not evidence."""


def grad_cam(maps: Floats, gradients: Floats) -> Floats:
    """The signed Grad-CAM sum over filters k of (spatial mean of gradient k) * map k, before the ReLU.

    `maps`, `gradients`: [h, w, filters]; returns [h, w] in the units of the score. Selvaraju et al., "Grad-CAM", ICCV
    2017, eq. 1-2.
    """
    return np.asarray(maps @ _weights(gradients), dtype=np.float32)


def heatmap(maps: Floats, gradients: Floats, cell_to_source: Affine) -> Heatmap:
    """The ReLU of Grad-CAM with its peak in source pixels, or an all-zero map whose state says why it is blank.

    `maps`, `gradients`: [h, w, filters]. Values stay raw: scaling them is the renderer's business, and done there once.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # a network that has diverged is a state, not an error
        signed = grad_cam(maps, gradients)
    state = _state(maps, gradients, signed)
    if state is not MapState.OK:
        return Heatmap(np.zeros_like(signed), cell_to_source, state, None)
    values = np.maximum(signed, 0)
    row, column = (int(index) for index in np.unravel_index(int(values.argmax()), values.shape))
    x, y = cell_to_source.apply(column, row)
    return Heatmap(values, cell_to_source, state, Peak(float(values[row, column]), row, column, x, y))


def _weights(gradients: Floats) -> NDArray[np.float64]:
    return np.asarray(gradients.mean(axis=(0, 1), dtype=np.float64))


def _state(maps: Floats, gradients: Floats, signed: Floats) -> MapState:
    """Why the map is blank, or that it is not; the first reason in the order of the forward pass wins."""
    if not np.isfinite(signed).all():
        return MapState.NOT_FINITE
    if not maps.any():
        return MapState.DEAD_LAYER
    magnitude = float((np.abs(maps) @ np.abs(_weights(gradients))).max())
    if magnitude == 0.0:
        return MapState.ZERO_GRADIENT
    return MapState.OK if float(signed.max()) > NOISE * magnitude else MapState.ALL_NEGATIVE
