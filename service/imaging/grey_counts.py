"""Order statistics of grey values from the number of pixels with each value.

To count 16-bit pixels takes a quarter of the time that sorting them would.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

ValueCounts = NDArray[np.integer[Any]]
"""Number of pixels with each value, from value 0 on."""


def count_values(values: NDArray[np.unsignedinteger[Any]]) -> ValueCounts:
    """Return the number of pixels with each value that the type can hold."""
    return np.bincount(values.ravel(), minlength=int(np.iinfo(values.dtype).max) + 1)


def percentile(counts: ValueCounts, percent: float) -> float:
    """Return a percentile of the pixels, interpolated linearly as numpy.percentile does."""
    ends = np.cumsum(counts)
    last = int(ends[-1]) - 1

    # The pixels below and above the position, in the order of their values.
    position = percent / 100 * last
    below = int(position)
    share = position - below
    low, high = (
        int(np.searchsorted(ends, index, "right")) for index in (below, min(below + 1, last))
    )

    # From the nearer end, which rounds as numpy does.
    if share < 1 / 2:
        return low + (high - low) * share
    return high - (high - low) * (1 - share)
