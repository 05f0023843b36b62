"""From signed evidence to a heatmap: what is positive, where its peak is, or why there is none."""

import numpy as np

from service.geometry import Affine
from service.records import Floats, Heatmap, MapState, Peak

NOISE = 1e-6
"""A positive part below this share of what contributes in magnitude is float32 rounding, not evidence."""


def to_heatmap(
    signed: Floats, magnitude: float, cell_to_source: Affine, silent: MapState | None = None
) -> Heatmap:
    """The positive part of evidence [h, w], or an all-zero map whose state says why it is blank.

    `magnitude`: the largest sum of absolute contributions to a cell. `silent`: a reason known beforehand.
    """
    state = _state(signed, magnitude, silent)
    if state is not MapState.OK:
        return Heatmap(np.zeros_like(signed), cell_to_source, state, None)
    values = np.maximum(signed, 0)
    row, column = (int(index) for index in np.unravel_index(int(values.argmax()), values.shape))
    x, y = cell_to_source.apply(column, row)
    return Heatmap(
        values, cell_to_source, state, Peak(float(values[row, column]), row, column, x, y)
    )


def _state(signed: Floats, magnitude: float, silent: MapState | None) -> MapState:
    """The first reason in the order of the forward pass wins."""
    if not np.isfinite(signed).all():
        return MapState.NOT_FINITE
    if silent is not None:
        return silent
    if magnitude == 0.0:
        return MapState.ZERO_GRADIENT
    return MapState.OK if float(signed.max()) > NOISE * magnitude else MapState.ALL_NEGATIVE
