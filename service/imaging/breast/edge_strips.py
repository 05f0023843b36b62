"""Strips with straight edges beside the breast: tape, film edges, the edge of a paddle."""

from typing import NamedTuple

import numpy as np

from service.records import Mask

# Share of the rows in which the strip must show its edge.
_MIN_ROWS = 0.6
# Share of the columns: rows whose edge is farther from the median one show something else.
_REACH = 0.08
# Pixels of a coarse grid, one of every `_STEP`, between the edge and a line.
_TOLERANCE = 1
_STEP = 4
# Share of the columns, and of the region: max width and area of a strip.
_MAX_WIDTH = 0.3
_MAX_AREA = 0.4


class _Line(NamedTuple):
    """A column as a linear function of the row."""

    at_top: float
    slope: float


def strips_in(region: Mask) -> Mask:
    """Return the mask of the strips that are part of the region, on any of its four sides."""
    strips = np.zeros_like(region)
    coarse = region[::_STEP, ::_STEP]
    for turns in range(4):
        edge = _edge_of_strip(np.ascontiguousarray(np.rot90(coarse, turns)))
        if edge is None:
            continue

        # On the whole grid, a coarse pixel more for the blurred edge.
        height, width = np.rot90(region, turns).shape
        left = _STEP * (edge.at_top - 1) + edge.slope * np.arange(height)
        strips |= np.rot90(np.arange(width) >= left[:, None], -turns)
        coarse = (region & ~strips)[::_STEP, ::_STEP]
    return strips


def _edge_of_strip(region: Mask) -> _Line | None:
    """Return the left edge of a strip at the right of the region, or None."""
    rows, columns = region.shape
    filled = region.any(axis=1)
    if np.count_nonzero(filled) < _MIN_ROWS * rows:
        return None

    # The rightmost run of each row.
    last = columns - 1 - np.argmax(region[:, ::-1], axis=1)
    gaps = ~region & (np.arange(columns) <= last[:, None])
    first = np.where(gaps.any(axis=1), columns - np.argmax(gaps[:, ::-1], axis=1), 0)

    # Their left ends on a straight line. A breast with its chest wall on the left has them at 0.
    near = filled & (np.abs(first - np.median(first[filled])) <= _REACH * columns)
    if np.count_nonzero(near) < _MIN_ROWS * rows or not first[near].any():
        return None
    row = np.arange(rows)
    edge = _fitted_line(row[near], first[near])
    on_edge = near & (np.abs(first - edge.at_top - edge.slope * row) <= _TOLERANCE)
    if np.count_nonzero(on_edge) < _MIN_ROWS * rows:
        return None

    # A narrow strip, with most of the region on its other side.
    width = np.median((last - first + 1)[on_edge])
    beyond = region & (np.arange(columns) >= (edge.at_top + edge.slope * row)[:, None] - 1)
    is_small = np.count_nonzero(beyond) <= _MAX_AREA * np.count_nonzero(region)
    return edge if is_small and width <= _MAX_WIDTH * columns else None


def _fitted_line(row: np.ndarray, column: np.ndarray) -> _Line:
    """Fit a line by least squares."""
    distance = row - row.mean()
    slope = float((distance * column).sum() / max((distance**2).sum(), 1))
    return _Line(float(column.mean() - slope * row.mean()), slope)
