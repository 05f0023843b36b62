"""How a heatmap lies relative to the breast and to the frame, in figures."""

import numpy as np
from numpy.typing import NDArray

from service.records import Heatmap, Mask, ReceptiveField

RIM = 0.1
"""Share of the cells along an axis that count as border at either end; at least one cell does."""


def heat_figures(heatmap: Heatmap, mask: Mask, field: ReceptiveField) -> dict[str, float]:
    """Where the heat is, by figure; empty for a blank map. `docs/explanations.md` has every formula.

    `mask`: the breast on the model's grid. A cell counts as in the breast where its receptive field's centre is.
    """
    if heatmap.peak is None:
        return {}
    values = heatmap.values.astype(np.float64)
    shares = values / values.sum()
    inside = breast_cells(mask, field, values.shape)
    breast_share, heat_in_breast = float(inside.mean()), float(shares[inside].sum())
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
    """Which cells of a [h, w] map are centred in the breast; centres off the grid count by its nearest pixel."""
    rows = (
        np.rint(field.stride_y * np.arange(shape[0]) + field.offset_y)
        .astype(int)
        .clip(0, mask.shape[0] - 1)
    )
    columns = (
        np.rint(field.stride_x * np.arange(shape[1]) + field.offset_x)
        .astype(int)
        .clip(0, mask.shape[1] - 1)
    )
    return mask[np.ix_(rows, columns)]


def entropy(shares: NDArray[np.float64]) -> float:
    """-sum p log p over the cells, divided by the logarithm of their number: 0 for one hot cell, 1 for an even map."""
    positive = shares[shares > 0]
    return (
        float(-(positive * np.log(positive)).sum() / np.log(shares.size))
        if shares.size > 1
        else 0.0
    )


def gini(shares: NDArray[np.float64]) -> float:
    """The Gini index: 0 for an even map, near 1 for one hot cell.

    Hurley and Rickard, "Comparing Measures of Sparsity", IEEE TIT 55, 2009.
    """
    ascending = np.sort(shares, axis=None)
    count = ascending.size
    return float(1 - 2 * (ascending * (count - np.arange(count) - 0.5)).sum() / count)


def rims(shape: tuple[int, ...]) -> tuple[Mask, list[tuple[slice, slice]]]:
    """The cells along the top, the bottom and the side away from the chest wall, and the four corners.

    The chest wall, on the model's grid at the left, is no border: there the breast goes on.
    """
    rows, columns = (max(1, round(RIM * edge)) for edge in shape)
    border = np.ones(shape, np.bool_)
    border[rows : shape[0] - rows, : shape[1] - columns] = False
    tops, sides = (
        (slice(None, rows), slice(-rows, None)),
        (slice(None, columns), slice(-columns, None)),
    )
    return border, [(top, side) for top in tops for side in sides]
