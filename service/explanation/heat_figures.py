"""Figures on the place of the heat relative to the breast and to the frame."""

import numpy as np
from numpy.typing import NDArray

from service.records import Heatmap, Mask, ReceptiveField

RIM = 0.1
"""Share of the cells along an axis that count as border at either end, at least one cell."""


def heat_figures(heatmap: Heatmap, mask: Mask, field: ReceptiveField) -> dict[str, float]:
    """Return figures on the place of the heat by name, or none for a blank map.

    `docs/explanations.md` has every formula. `mask`: the breast on the model's grid. A cell is in
    the breast if the centre of its receptive field is.
    """
    if heatmap.peak is None:
        return {}

    values = heatmap.values.astype(np.float64)
    shares = values / values.sum()

    inside = breast_cells(mask, field, values.shape)
    breast_share = float(inside.mean())
    heat_in_breast = float(shares[inside].sum())

    border, corners = rims(values.shape)
    return {
        "heat_in_breast": heat_in_breast,
        "breast_share": breast_share,
        **({"lift": heat_in_breast / breast_share} if breast_share else {}),
        "peak_in_breast": float(inside[heatmap.peak.row, heatmap.peak.column]),
        "area_above_half": float((values >= values.max() / 2).mean()),
        "entropy": entropy(shares),
        "gini": gini(shares),
        "border_lift": float(shares[border].sum() / border.mean()),
        "corner_lift": max(
            float(shares[corner].sum() * values.size / shares[corner].size) for corner in corners
        ),
    }


def breast_cells(mask: Mask, field: ReceptiveField, shape: tuple[int, ...]) -> Mask:
    """Return the cells of a [h, w] map that are centred in the breast, as a mask [h, w].

    A centre outside the grid counts as its nearest pixel.
    """
    rows = np.rint(field.stride_y * np.arange(shape[0]) + field.offset_y)
    columns = np.rint(field.stride_x * np.arange(shape[1]) + field.offset_x)

    rows_on_grid = rows.astype(int).clip(0, mask.shape[0] - 1)
    columns_on_grid = columns.astype(int).clip(0, mask.shape[1] - 1)
    return mask[np.ix_(rows_on_grid, columns_on_grid)]


def entropy(shares: NDArray[np.float64]) -> float:
    """Return -sum p log p over the cells, divided by the logarithm of their number.

    0 for one hot cell, 1 for a uniform map.
    """
    if shares.size <= 1:
        return 0.0
    positive = shares[shares > 0]
    return float(-(positive * np.log(positive)).sum() / np.log(shares.size))


def gini(shares: NDArray[np.float64]) -> float:
    """Return the Gini index: 0 for a uniform map, near 1 for one hot cell.

    Hurley and Rickard, "Comparing Measures of Sparsity", IEEE TIT 55, 2009.
    """
    ascending = np.sort(shares, axis=None)
    count = ascending.size
    return float(1 - 2 * (ascending * (count - np.arange(count) - 0.5)).sum() / count)


def rims(shape: tuple[int, ...]) -> tuple[Mask, list[tuple[slice, slice]]]:
    """Return the border cells as a mask, and the four corners.

    The border is the top, the bottom and the side away from the chest wall. The chest wall, at the
    left of the model's grid, is not a border, because the breast continues there.
    """
    rows, columns = (max(1, round(RIM * edge)) for edge in shape)

    border = np.ones(shape, np.bool_)
    border[rows : shape[0] - rows, : shape[1] - columns] = False

    top_and_bottom = (slice(None, rows), slice(-rows, None))
    left_and_right = (slice(None, columns), slice(-columns, None))
    corners = [(vertical, side) for vertical in top_and_bottom for side in left_and_right]
    return border, corners
