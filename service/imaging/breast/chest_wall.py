"""The side of the chest wall, from the outline of the breast."""

import numpy as np

from service.records import Mask, Side

# Share of the breast's width: the columns at either end whose heights are compared.
_BRIM = 0.02


def chest_wall(breast: Mask) -> Side:
    """Return the side of the chest wall: the breast ends straight there, and most of it lies there.

    Two measures are added. Where the picture cuts a large breast off on both sides, the centre of
    mass says little. On an oblique film, the straight edge says little.
    """
    # Height of the breast in each column, as a share of its overall height.
    (columns,) = np.nonzero(breast.any(axis=0))
    heights = breast[:, columns[0] : columns[-1] + 1].sum(axis=0) / breast.any(axis=1).sum()

    # Straight edge: how much higher the leftmost columns are than the rightmost ones.
    brim = max(1, round(_BRIM * heights.size))
    edge_difference = heights[:brim].mean() - heights[-brim:].mean()

    # Centre of mass: 1 at the left end, -1 at the right end.
    mass = 1 - 2 * np.average(np.linspace(0, 1, heights.size), weights=heights)
    return "left" if edge_difference + mass >= 0 else "right"
