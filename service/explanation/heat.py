"""Turn a signed map into a heatmap, or into a blank map with the reason for it."""

import numpy as np

from service.geometry import Affine
from service.records import Floats, Heatmap, MapState, Peak

NOISE = 1e-6
"""Positive values at or below this share of the magnitude are float32 rounding, not evidence."""


def to_heatmap(
    signed: Floats, magnitude: float, cell_to_source: Affine, blank_reason: MapState | None = None
) -> Heatmap:
    """Return the positive part of a map [h, w], or an all-zero map whose state gives the reason.

    `magnitude`: the largest sum of absolute contributions to a cell. `blank_reason`: a reason for a
    blank map that the caller already knows.
    """
    state = _state(signed, magnitude, blank_reason)
    if state is not MapState.OK:
        return Heatmap(np.zeros_like(signed), cell_to_source, state, None)

    values = np.maximum(signed, 0)
    row, column = (int(index) for index in np.unravel_index(int(values.argmax()), values.shape))
    x, y = cell_to_source.apply(column, row)
    peak = Peak(float(values[row, column]), row, column, x, y)

    return Heatmap(values, cell_to_source, state, peak)


def _state(signed: Floats, magnitude: float, blank_reason: MapState | None) -> MapState:
    """Return the first reason for a blank map, in the order of the forward pass, or OK."""
    if not np.isfinite(signed).all():
        return MapState.NOT_FINITE
    if blank_reason is not None:
        return blank_reason
    if magnitude == 0.0:
        return MapState.ZERO_GRADIENT

    has_heat = float(signed.max()) > NOISE * magnitude
    return MapState.OK if has_heat else MapState.ALL_NEGATIVE
